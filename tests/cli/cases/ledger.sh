# The ledger: its free runs are those of compare, its entries add up, bad requests are refused in one line.
documents 2 text.jsonl
common='schema version command positions documents reference.name candidate.weights cells.ref_ref.kld cells.ref_cand.kld_stderr
    cells.cand_ref.perplexity cells.cand_cand.perplexity_stderr shares.routing shares.arithmetic shares_stderr phi.routing_stderr
    interaction interaction_stderr nll.phi.routing labels.0.shares.routing'
gives 0 lfmscope compare "$DEMO" q4_0 --file text.jsonl --context 64 --special --json
mv out compare.json

# ledger REPLAY OPTIONS...
ledger() {
    replay=$1
    shift
    gives 0 lfmscope ledger "$DEMO" q4_0 --file text.jsonl --context 64 --special --json --replay "$replay" "$@"
    # shellcheck disable=SC2086 # a list
    has_keys out $common
    [ "$(json out schema) $(json out replay)" = "lfmscope-ledger $replay" ] || fail "$(json out schema) $(json out replay)"
    [ "$(json out cells.cand_cand.kld)" = "$(json compare.json candidates.0.kld.mean)" ] || fail "KLD is not that of compare"
    [ "$(json out cells.cand_cand.kld_stderr)" = "$(json compare.json candidates.0.kld.stderr)" ] || fail "nor is its error"
    [ "$(json out cells.cand_cand.perplexity)" = "$(json compare.json candidates.0.perplexity)" ] || fail "nor the perplexity"
    [ "$(json out cells.ref_ref.perplexity)" = "$(json compare.json reference.perplexity)" ] || fail "nor the reference's"
    [ "$(json out cells.ref_ref.kld)" = 0 ] || fail "ref_ref is $(json out cells.ref_ref.kld)"
    a=$(json out cells.ref_cand.kld) b=$(json out cells.cand_ref.kld) c=$(json out cells.cand_cand.kld)
    holds "$a > 0 && $b > 0 && $a < $c && $(json out changed) > 0"
    holds "($(json out phi.routing) - ($a + $c - $b) / 2) ^ 2 < 1e-24 && ($(json out interaction) - ($c - $a - $b)) ^ 2 < 1e-24"
    holds "($(json out shares.routing) + $(json out shares.arithmetic) - 1) ^ 2 < 1e-24"
}

ledger set+weights
ledger set --layers 2,7 --margins 0.01
has_keys out layers.1.phi.rest layers.1.share_stderr margins.1.cells.cand_ref.kld margins_total.remainder layers_total.routing
holds "$(json out margins.0.decisions) + $(json out margins.1.decisions) == $(json out decisions)"
holds "$(json out layers.0.decisions) * 6 == $(json out decisions)"
! json out layers_total.remainder >/dev/null 2>&1 || fail "two of six layers have a remainder"

# Of a model and itself there is nothing to share.
gives 0 lfmscope ledger "$DEMO" stored --file text.jsonl --context 64 --special --json --margins default
[ "$(json out loss) $(json out changed) $(json out cells.cand_ref.kld)" = "0 0 0" ] || fail "a model differs from itself"
[ "$(json out shares.routing)" = null ] || fail "there is a share of no loss"
gives 0 lfmscope ledger "$DEMO" q8_0 --file text.jsonl --context 64 --special --layers 3
case $(cat out) in *"routing of the candidate"*"3 conv"*narrative*) ;; *) fail "tables: $(cat out)" ;; esac

refuses 1 "*'lfm2-legacy-keys'*no experts*" lfmscope ledger "$TINY/lfm2-legacy-keys" "$TINY/lfm2-legacy-keys" --file "$TEXT"
refuses 1 "*vocab_size is 160, expected 2048" lfmscope ledger "$DEMO" "$TINY/moe-bf16" --file "$TEXT"
refuses 2 "*unknown replay 'weights'*set or set+weights" lfmscope ledger "$DEMO" q4_0 --file "$TEXT" --replay weights
refuses 2 "*layer 1 of*has no experts*2 to 7*" lfmscope ledger "$DEMO" q4_0 --file "$TEXT" --layers 1
refuses 2 "*'8'*layers 0 to 7" lfmscope ledger "$DEMO" q4_0 --file "$TEXT" --layers 8
refuses 2 "*edge 2*ascending" lfmscope ledger "$DEMO" q4_0 --file "$TEXT" --margins 0.1,0.05
refuses 2 "*margins '0.1;0.2'*" lfmscope ledger "$DEMO" q4_0 --file "$TEXT" --margins '0.1;0.2'
refuses 2 "*neither a file nor a type*" lfmscope ledger "$DEMO" q5_9 --file "$TEXT"
refuses 2 "*'--file' is missing*" lfmscope ledger "$DEMO" q4_0
refuses 2 "*" lfmscope ledger "$DEMO" --file "$TEXT"
