# routing: tables, JSON, details on request, the page of a route; what is refused.
documents 6 text.jsonl
lfmscope trace "$DEMO" --file text.jsonl --special --points router --context 120 --output a.h5 --quiet >log
lfmscope trace "$DEMO" --file text.jsonl --special --points router --context 120 --output b.h5 --weights q4_0 --quiet >log

gives 0 lfmscope routing a.h5 --quiet
for word in load chance 'highest lift' 'information' '1000 even loads'; do
    grep -q "$word" out || fail "the tables lack '$word': $(cat out)"
done
[ "$(wc -l <out)" -lt 30 ] || fail "a summary has $(wc -l <out) lines"
gives 0 lfmscope routing a.h5 --pairs 2 --tokens 3 --experts --domains --min-count 2 --tokenizer "$DEMO"
grep -q 'P(b|a)' out && grep -q '"narrative": ' out && grep -q 'startoftext' out || fail "details: $(cat out)"

gives 0 lfmscope routing a.h5 b.h5 --json
has_keys out traces.0.layers.0.chance.gini traces.0.layers.0.excess.max_violation traces.0.layers.0.jain \
    traces.0.layers.0.balancedness traces.0.layers.0.coactivation.44.lift traces.0.layers.0.coactivation.0.p_b_given_a \
    traces.0.layers.0.domains.0.share.9 traces.0.layers.0.tokens.0.expert traces.0.labels.0.similarity.0 \
    traces.0.layers.0.mutual_information.domain.corrected traces.0.layers.0.mutual_information.token.shuffled_mean \
    traces.0.layers.0.persistence.next_token.overlap traces.0.layers.0.persistence.next_layer.chance_load \
    pairs.0.layers.0.top1 pairs.0.layers.0.weight_l1 pairs.0.layers.0.margin_bins.7.flips.observed \
    pairs.0.layers.0.flips.predicted_normal pairs.0.all.margin_bins.3.from pairs.0.first_divergence.never_share
[ "$(json out traces.0.chance.method)" = simulation ] || fail "chance: $(json out traces.0.chance.method)"
[ "$(json out traces.0.layers.0.coactivation)" = "array 45" ] || fail "not all pairs"
[ "$(json out pairs.0.layers.0.unexplained_reference)" = 0 ] || fail "sets do not follow from logits"
holds "$(json out pairs.0.all.flips.observed) > 0.02 && $(json out pairs.0.all.flips.observed) < 0.5"
holds "$(json out traces.0.layers.0.excess.cv) == $(json out traces.0.layers.0.cv) - $(json out traces.0.layers.0.chance.cv)"
cp out first.json
gives 0 lfmscope routing a.h5 b.h5 --json
same first.json out
gives 0 lfmscope routing a.h5 --json --seed 5
holds "$(json out traces.0.layers.0.chance.cv) != $(json first.json traces.0.layers.0.chance.cv)"
holds "$(json out traces.0.layers.0.cv) == $(json first.json traces.0.layers.0.cv)"

# The page: one script that is data, one that is its own.
gives 0 lfmscope routing a.h5 b.h5 --route route.html --tokenizer "$DEMO"
[ "$(grep -o '<script' route.html | wc -l)" = 2 ] || fail "scripts: $(grep -o '<script' route.html | wc -l)"
grep -q 'startoftext' route.html || fail "no texts of tokens"
cp route.html again.html
gives 0 lfmscope routing a.h5 b.h5 --route route.html --tokenizer "$DEMO" --json
same route.html again.html
[ "$(json out route)" = route.html ] || fail "route: $(json out route)"
refuses 1 "*'nowhere/route.html*" lfmscope routing a.h5 --route nowhere/route.html

# A label is text, whatever it says.
printf '{"text": "Nora kept a rabbit.", "label": "</script><img src=x>"}\n{"text": "Nora kept a dog.", "label": "b\\u001b[31m"}\n' >labels.jsonl
lfmscope trace "$DEMO" --file labels.jsonl --points router --output labels.h5 --quiet >log
gives 0 lfmscope routing labels.h5 --route route.html --domains
[ "$(grep -c 'img src' route.html)" = 1 ] && ! grep -q '<img' route.html || fail "a label is markup"
! grep -q "$(printf '\033')" out || fail "a label reached the terminal"

# What does not go together.
refuses 1 "*'a.h5' has 720 tokens, 'labels.h5' has 14*" lfmscope routing a.h5 labels.h5
lfmscope trace "$DEMO" --file text.jsonl --special --points residual --context 120 --output residual.h5 --quiet >log
refuses 1 "*residual.h5' has no router data: trace with --points router*" lfmscope routing residual.h5
refuses 1 "*residual.h5' has no router data*" lfmscope routing a.h5 residual.h5
random-model dense --scale small --layers 2 --dense-layers 2 --intermediate-size 256 --vocabulary 2048 --tokenizer "$DEMO" >log
sed 's/lfm2_moe/lfm2/; s/Lfm2Moe/Lfm2/' dense/config.json >config && mv config dense/config.json
lfmscope trace dense --file labels.jsonl --points residual --output dense.h5 --quiet >log
refuses 1 "*the model has no experts*" lfmscope routing dense.h5
refuses 1 "*are of different models: model_type*" lfmscope routing labels.h5 dense.h5
mkdir other
for file in "$DEMO"/*; do ln -s "$file" other; done
rm other/tokenizer.json
sed 's/<|pad|>/<|pax|>/' "$DEMO/tokenizer.json" >other/tokenizer.json
refuses 1 "*'other' has another tokenizer than 'a.h5' was made with*" lfmscope routing a.h5 --tokenizer other
lfmscope trace other --file text.jsonl --special --points router --context 120 --output other.h5 --quiet >log
refuses 1 "*were made with different tokenizers*" lfmscope routing a.h5 other.h5
refuses 1 "*cannot open 'nowhere'*" lfmscope routing a.h5 --tokenizer nowhere
refuses 2 "*--min-count must be at least 1*" lfmscope routing a.h5 --min-count 0
cut_to b.h5 -4000
refuses 1 "*b.h5'*" lfmscope routing a.h5 b.h5

# All experts for every token: no margins, nothing to predict.
random-model full --scale small --layers 2 --dense-layers 1 --experts 2 --experts-per-token 2 --vocabulary 2048 --tokenizer "$DEMO" >log
lfmscope trace full --file labels.jsonl --output full.h5 --quiet >log
gives 0 lfmscope routing full.h5 full.h5 --route route.html --margins
gives 0 lfmscope routing full.h5 full.h5 --json
[ "$(json out traces.0.layers.0.margin_median)" = null ] || fail "a margin where all experts are chosen"
[ "$(json out pairs.0.all.flips.predicted_normal)" = null ] || fail "a prediction where all experts are chosen"
holds "$(json out traces.0.layers.0.coactivation.0.lift) == 1 && $(json out traces.0.layers.0.chance.cv) == 0"
# More tokens than there are cost nothing.
gives 0 lfmscope routing full.h5 --tokens 1000000000000 --json
