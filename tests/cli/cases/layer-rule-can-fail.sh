# The layer check sees an include that points upwards, and HDF5 outside its room.
mkdir -p reference/base reference/model reference/trace quant reports
printf '#include "reference/base/error.h"\n' >reference/model/ops.c
printf '#include <hdf5.h>\n' >reference/trace/h5.h
"$ROOT/scripts/check_layers" . >/dev/null || fail "a tree in order was refused"
refused() {
    "$ROOT/scripts/check_layers" . >found && fail "not seen: $1"
    grep -q "$1" found || fail "'$1' is missing in: $(cat found)"
}
printf '#include "quant/formats.h"\n' >reference/model/ops.c
refused 'reference/model/ops.c:1: a lower room includes a higher one'
printf '#include "reference/trace/h5.h"\n' >reference/model/ops.c
refused 'a lower room includes a higher one'
rm reference/model/ops.c
printf '\n#include "reference/trace/h5.h"\n' >quant/compare.c
refused 'quant/compare.c:2: HDF5 belongs to reference/trace'
printf '#include "reference/model/model.h"\n' >quant/compare.c
printf '#include "reference/model/model.h"\n' >reports/page.c
refused 'reports/page.c:1: reports includes'
