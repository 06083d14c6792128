# Without the right to install, setup prints the command to run and fails.
mkdir bin
printf '#!/bin/sh\n[ "$1" != -u ] || echo 1000\n' >bin/id
printf '#!/bin/sh\nexit 1\n' >bin/sudo
printf '#!/bin/sh\nexit 1\n' >bin/pkg-config
printf '#!/bin/sh\nexit 0\n' >bin/apt-get
chmod +x bin/*
PATH="$PWD/bin:$PATH"
gives 1 "$ROOT/scripts/setup"
grep -q 'sudo apt-get .*install -y --no-install-recommends.* libgsl-dev' err || fail "no command to run: $(cat err)"
