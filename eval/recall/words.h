/* The words of scripts/demo_model/words.py, which the demo model knows. Included by wording.c alone. */
#ifndef LFM_EVAL_RECALL_WORDS_H
#define LFM_EVAL_RECALL_WORDS_H

static const char *const professions[] = {
    "baker", "carpenter", "teacher", "sailor", "doctor", "painter", "farmer", "weaver", "clockmaker", "gardener",
    "printer", "tailor", "surgeon", "judge", "pilot", "chemist", "librarian", "miner", "potter", "shepherd", "singer",
    "architect", "fisherman", "blacksmith", "engineer", "nurse", "actor", "poet", "beekeeper", "glassblower",
    "cartographer", "lawyer", "butcher", "dentist", "mason", "violinist", "astronomer", "brewer", "cook", "translator",
};
static const char *const animals[] = {
    "cat", "dog", "parrot", "goat", "horse", "tortoise", "rabbit", "raven", "fox", "hedgehog", "donkey", "goose", "owl",
    "ferret", "pony", "sheep",
};
static const char *const colours[] = {
    "red", "blue", "green", "yellow", "white", "black", "brown", "grey", "purple", "orange", "silver", "golden", "pink",
    "violet", "crimson", "turquoise",
};
static const char *const objects[] = {
    "lamp", "kettle", "chair", "radio", "clock", "bicycle", "camera", "mirror", "stove", "table", "basket", "ladder",
    "violin", "telescope", "blanket", "compass", "mug", "knife", "umbrella", "desk",
};
static const char *const places[] = {
    "harbour", "market", "bridge", "forest", "mill", "tower", "garden", "valley", "station", "school", "chapel", "lake",
    "meadow", "square", "castle", "inn", "library", "quarry", "island", "orchard", "theatre", "workshop", "cellar",
    "lighthouse",
};
static const char *const weather[] = {
    "rain", "snow", "fog", "wind", "sunshine", "thunder", "frost", "drizzle", "hail", "mist",
};
static const char *const seasons[] = {
    "spring", "summer", "autumn", "winter",
};
static const char *const adjectives[] = {
    "old", "small", "quiet", "bright", "narrow", "heavy", "gentle", "strange", "cold", "warm", "broken", "hidden",
    "famous", "empty", "crowded", "clever", "patient", "tired", "brave", "honest", "curious", "careful", "lonely",
    "cheerful", "wooden", "dusty", "distant", "ancient", "simple", "proud", "silent", "sudden", "steep", "soft",
    "bitter", "golden", "muddy", "pale", "rough", "early", "late", "generous", "stubborn", "polite", "nervous",
};
static const char *const nouns[] = {
    "letter", "key", "map", "coat", "wagon", "boat", "lantern", "book", "coin", "ring", "bell", "apple", "stone",
    "fire", "window", "door", "rope", "bucket", "candle", "feather", "ticket", "hammer", "bottle", "cloud", "river",
    "road", "wall", "roof", "stair", "song", "story", "dream", "secret", "promise", "garden", "bird", "fish", "tree",
    "flower", "bread", "soup", "table", "chair", "shoe", "hat", "glove", "basket", "ladder", "mirror", "clock",
};
static const char *const verbs_past[] = {
    "carried", "found", "lost", "painted", "repaired", "sold", "hid", "opened", "dropped", "borrowed", "cleaned",
    "counted", "watched", "followed", "remembered", "forgot", "admired", "polished", "measured", "described", "guarded",
    "collected", "stole", "returned", "wrapped",
};
static const char *const adverbs[] = {
    "slowly", "quickly", "quietly", "gladly", "carefully", "often", "rarely", "always", "suddenly", "gently", "proudly",
    "bravely", "calmly", "early", "late", "again", "together", "alone",
};
static const char *const days[] = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
};
static const char *const onsets[] = {
    "b", "br", "d", "dr", "f", "fl", "g", "gr", "h", "k", "kr", "l", "m", "n", "p", "pr", "r", "s", "st", "t", "th",
    "tr", "v", "w", "z", "sk",
};
static const char *const vowels[] = {
    "a", "e", "i", "o", "u", "a", "e", "o", "ai", "ei", "au",
};
static const char *const codas[] = {
    "", "n", "r", "l", "s", "m", "nd", "rk", "lt", "th", "x",
};

#endif
