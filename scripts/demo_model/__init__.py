"""Corpus, tokenizer, training and checks of lfmscope's demo model; see scripts/train_demo_model.py."""
