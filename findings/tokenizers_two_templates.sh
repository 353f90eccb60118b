#!/usr/bin/env bash
# Hugging Face's tokenizers (in Tokenizers.DotNet 1.4.1): of two templates in a sequence of post-processors only the first has an effect.
#
# Expected: "post_processor" of type Sequence runs its members one after another, as normalizers and decoders of that type do: a template that puts <s> before a text, then one that
# puts </s> behind it, give <s> a b </s>; or the file is refused.
# Seen: what the first template adds is there, what the second adds is not, in either order, without a word.
# Why it matters: a fine-tuned model whose tokenizer got its end token by a second template (the first being the base model's begin token) is trained and prompted without it.
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

object Sequence(string id) => new { Sequence = new { id, type_id = 0 } };
object Special(string id) => new { SpecialToken = new { id, type_id = 0 } };
object Template(string token, int id, object[] single) => new
{
    type = "TemplateProcessing", single, pair = new[] { Sequence("A"), Sequence("B") },
    special_tokens = new Dictionary<string, object> { [token] = new { id = token, ids = new[] { id }, tokens = new[] { token } } },
};
object Both(object first, object second) => new { type = "Sequence", processors = new[] { first, second } };

object begin = Template("<s>", 8, [Special("<s>"), Sequence("A")]), end = Template("</s>", 9, [Sequence("A"), Special("</s>")]);
foreach ((string name, object post_processor) in new[] { ("<s> alone", begin), ("</s> alone", end), ("<s>, then </s>", Both(begin, end)), ("</s>, then <s>", Both(end, begin)) })
{
    object Added(string content, int id) => new { id, content, single_word = false, lstrip = false, rstrip = false, normalized = false, special = true };
    var model = new { type = "BPE", vocab = "abcdefgh".Select((letter, i) => (letter, i)).ToDictionary(pair => pair.letter.ToString(), pair => pair.i), merges = Array.Empty<string>() };
    File.WriteAllText("tokenizer.json", JsonSerializer.Serialize(new { version = "1.0", added_tokens = new[] { Added("<s>", 8), Added("</s>", 9) }, post_processor, model }));
    Console.WriteLine($"{name}: {string.Join(' ', new Tokenizer(vocabPath: "tokenizer.json").Encode("ab"))}");
}
X

output=$(dotnet run -c Release 2>&1)
printf 'Tokenizers.DotNet 1.4.1, .NET SDK %s\n%s\n' "$(dotnet --version)" "$output"
for line in '<s> alone: 8 0 1' '</s> alone: 0 1 9' '<s>, then </s>: 8 0 1' '</s>, then <s>: 0 1 9'; do
    grep -qxF "$line" <<< "$output" || { echo 'The behaviour has changed.'; exit 1; }
done
