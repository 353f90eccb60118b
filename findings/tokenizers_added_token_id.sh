#!/usr/bin/env bash
# Hugging Face's tokenizers (in Tokenizers.DotNet 1.4.1) ignores the id that tokenizer.json states for an added token.
#
# Expected: an entry of "added_tokens" has an "id" beside its "content"; a text that holds the token gives that id, or the file is refused where the id does not follow the vocabulary.
# Seen: the token gets the next id after the vocabulary, without a word. A vocabulary of 8 letters (ids 0 to 7) and <end> with id 300: "ab<end>" is 0 1 8.
# Why it matters: whoever takes rows of an embedding, or ends a text, by the file's own ids reads another row and never meets the end. Files whose special tokens
# leave a gap behind the vocabulary are common (padding to a multiple of 64).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > finding.csproj <<'X'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Tokenizers.DotNet" Version="1.4.1" />
    <PackageReference Include="Tokenizers.DotNet.runtime.linux-x64" Version="1.4.1" />
  </ItemGroup>
</Project>
X

cat > Program.cs <<'X'
using System.Text.Json;
using Tokenizers.DotNet;

foreach (int id in new[] { 8, 300 })
{
    var end = new { id, content = "<end>", single_word = false, lstrip = false, rstrip = false, normalized = false, special = true };
    var model = new { type = "BPE", vocab = "abcdefgh".Select((letter, i) => (letter, i)).ToDictionary(pair => pair.letter.ToString(), pair => pair.i), merges = Array.Empty<string>() };
    File.WriteAllText("tokenizer.json", JsonSerializer.Serialize(new { version = "1.0", added_tokens = new[] { end }, model }));
    Console.WriteLine($"stated {id}: {string.Join(' ', new Tokenizer(vocabPath: "tokenizer.json").Encode("ab<end>"))}");
}
X

output=$(dotnet run -c Release 2>&1)
printf 'Tokenizers.DotNet 1.4.1, .NET SDK %s\n%s\n' "$(dotnet --version)" "$output"
grep -qx 'stated 8: 0 1 8' <<< "$output" && grep -qx 'stated 300: 0 1 8' <<< "$output" || { echo 'The behaviour has changed.'; exit 1; }
