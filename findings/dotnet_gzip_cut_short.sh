#!/usr/bin/env bash
# .NET's GZipStream reads a gzip file that was cut short without a word, and what it gives may end in the middle of a number.
#
# Expected (RFC 1952, section 2.2: a member ends with CRC-32 and length): an error where the end is missing, as gzip itself gives ("unexpected end of file").
# Seen: System.IO.Compression of .NET 10 ends the stream. Matrices and tables are shipped as .mtx.gz and .csv.gz; of the file below the last value, 123456789.125, becomes
# a shorter number that every parser takes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

printf '%%%%MatrixMarket matrix coordinate real general\n3 3 3\n1 1 1.25\n2 2 2.5\n3 3 123456789.125\n' > whole.mtx
gzip -n -c whole.mtx > whole.mtx.gz
head -c -14 whole.mtx.gz > cut.mtx.gz
gzip -t cut.mtx.gz 2> gzip.txt && { echo 'gzip takes the file for whole: the premise does not hold'; exit 1; }

cat > finding.csproj <<'X'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
  </PropertyGroup>
</Project>
X

cat > Program.cs <<'X'
using System.IO.Compression;

using var unpacked = new StreamReader(new GZipStream(File.OpenRead("cut.mtx.gz"), CompressionMode.Decompress));
Console.WriteLine($"last line: {unpacked.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]}");
X

output=$(dotnet run -c Release 2>&1)
printf '.NET SDK %s\ngzip: %s\nGZipStream: %s\n' "$(dotnet --version)" "$(cat gzip.txt)" "$output"
grep -qE '^last line: 3 3 1[0-9.]*$' <<< "$output" && ! grep -qx 'last line: 3 3 123456789.125' <<< "$output" || { echo 'The behaviour has changed.'; exit 1; }
