# Token ids: outside the vocabulary, not numbers, none at all. No output is left behind.
checkpoint moe-bf16 model
gives 0 lfmscope logits model --tokens 0,1,159 --output good.h5
rm good.h5
refuses 1 "*160*" lfmscope logits model --tokens 1,160 --output bad.h5
refuses 2 "*4000000000*" lfmscope logits model --tokens 4000000000 --output bad.h5
refuses 2 "*99999999999999999999*" lfmscope logits model --tokens 99999999999999999999 --output bad.h5
for ids in -1 1,-1 '' ',' x 1,x 1.5 '1 2x'; do
    refuses '1 2' '*--tokens*' lfmscope logits model "--tokens=$ids" --output bad.h5
done
refuses 1 "*'nowhere.txt'*" lfmscope logits model --tokens @nowhere.txt --output bad.h5
: >empty.txt
refuses 2 "*empty.txt*" lfmscope logits model --tokens @empty.txt --output bad.h5
rm empty.txt
# 256 positions are this model's limit.
seq 0 256 | awk '{ printf "%s%d", (NR > 1 ? "," : ""), $1 % 160 }' >long.txt
refuses 1 "*256*" lfmscope logits model --tokens @long.txt --output bad.h5
rm long.txt
only model
