# Generation: greedy is repeatable, a seed repeats a draw, limits hold.
gives 0 lfmscope generate "$DEMO" --prompt 'One winter morning,' --max-tokens 12
cp out greedy
gives 0 lfmscope generate "$DEMO" --prompt 'One winter morning,' --max-tokens 12 --seed 5
same out greedy
gives 0 lfmscope generate "$DEMO" --prompt 'One winter morning,' --max-tokens 30 --temperature 1.5 --seed 1
cp out first
gives 0 lfmscope generate "$DEMO" --prompt 'One winter morning,' --max-tokens 30 --temperature 1.5 --seed 1
same out first
gives 0 lfmscope generate "$DEMO" --prompt 'One winter morning,' --max-tokens 30 --temperature 1.5 --seed 2
cmp -s out first && fail "another seed drew the same 30 tokens"
refuses 1 "*nowhere.json*" lfmscope generate "$DEMO" --chat nowhere.json
printf '{"role": ' >broken.json
refuses 1 "*broken.json:1*" lfmscope generate "$DEMO" --chat broken.json
printf '[{"role": "user", "content": "a\\u0000b"}]' >zero.json
refuses 1 "*zero.json: a zero byte*" lfmscope generate "$DEMO" --chat zero.json
printf '[{"role": "user", "content": "a"}]' >chat.json
printf '{}' >tools.json
refuses 1 "*tools.json: expected a list of function schemas*" lfmscope generate "$DEMO" --chat chat.json --tools tools.json
refuses 2 "*--date*go with --chat*" lfmscope generate "$DEMO" --prompt a --date 2026-01-01
