#!/usr/bin/env bash
# Programs that get Kernels from its package, from a folder feed, as users do: as it is, trimmed, and compiled ahead of time. Each runs every family and checks what comes out.
#   tests/consumers/run.sh FEED      FEED: the folder that `dotnet pack Kernels.sln -c Release -o FEED` filled
set -euo pipefail
feed=$(realpath "${1:?the folder with the packages}")
cd "$(dirname "$0")"
work=$(realpath ../..)/artifacts/consumers
package=$(ls "$feed"/Kernels.[0-9]*.nupkg | tail -1)
version=$(basename "$package" .nupkg)
version=${version#Kernels.}
runtime=$(dotnet --info | awk '/^ *RID:/ { print $2; exit }')

# A cache of its own: the same version may have been packed before, with other contents.
rm -rf "$work"
mkdir -p "$work"
export EXPECT_NATIVE=$(grep -qa "runtimes/$runtime/native/" "$package" && echo 1 || echo 0)
common=(-c Release --nologo -v q "-p:KernelsVersion=$version" "-p:RestorePackagesPath=$work/packages" "-p:RestoreAdditionalProjectSources=$feed"
    "-p:BaseIntermediateOutputPath=$work/obj/" "-p:BaseOutputPath=$work/bin/" -r "$runtime")

publish() {
    local form=$1
    shift
    printf '%s: ' "$form"
    dotnet publish Console/Console.csproj "${common[@]}" "$@" -o "$work/$form" >"$work/$form.log" 2>&1
}

publish whole --self-contained false || { cat "$work/whole.log"; exit 1; }
"$work/whole/Console"

publish trimmed --self-contained true -p:PublishTrimmed=true -p:TrimmerSingleWarn=false || { cat "$work/trimmed.log"; exit 1; }
"$work/trimmed/Console"

if publish native-aot -p:PublishAot=true -p:TrimmerSingleWarn=false; then
    "$work/native-aot/Console"
elif grep -qE 'NU1101|NU1102|Platform linker' "$work/native-aot.log"; then
    echo "left out: the compiler's package or a linker is not to be had here"
else
    cat "$work/native-aot.log"
    exit 1
fi
