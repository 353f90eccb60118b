using System.Text.RegularExpressions;

namespace Kernels.Repository.Tests;

/// <summary>The C headers and their LibraryImport mirror: the same exports, the same parameters in the same order, the same fields.</summary>
public sealed partial class AbiParityTests
{
    private static readonly Dictionary<string, string> s_types = new()
    {
        ["int32_t"] = "int",
        ["int64_t"] = "long",
        ["double"] = "double",
        ["const void*"] = "void*",
        ["void*"] = "void*",
        ["const uint8_t*"] = "byte*",
        ["const int32_t*"] = "int*",
        ["int32_t*"] = "int*",
        ["const char*"] = "byte*",
        ["uint32_t"] = "uint",
        ["const float*"] = "float*",
        ["float*"] = "float*",
        ["const int8_t*"] = "sbyte*",
        ["const uint8_t* const*"] = "byte**",
        ["const float* const*"] = "float**",
    };

    [GeneratedRegex(@"KERNELS_API\s+([\w\s\*]+?)\s*(kernels_\w+)\s*\(([^)]*)\)\s*;")]
    private static partial Regex Export();

    [GeneratedRegex(@"EntryPoint = ""(kernels_\w+)""\)\]\s+public static partial ([\w\*]+) \w+\(([^)]*)\);")]
    private static partial Regex Import();

    [GeneratedRegex(@"typedef struct (kernels_\w+) \{(.*?)\} \1;", RegexOptions.Singleline)]
    private static partial Regex HeaderStruct();

    [GeneratedRegex(@"<summary>(kernels_\w+)\.</summary>\s+\[StructLayout\(LayoutKind\.Sequential\)\]\s+internal (?:unsafe )?struct \w+\s*\{(.*?)\n\}",
        RegexOptions.Singleline)]
    private static partial Regex MirrorStruct();

    private static string Headers => WithoutComments(string.Concat(Repository.Files("native/include", "*.h").Select(File.ReadAllText)));

    private static string Mirrors => string.Concat(Repository.Files("Interop", "*.cs").Select(File.ReadAllText));

    private static string WithoutComments(string c) => Regex.Replace(c, @"/\*.*?\*/", "", RegexOptions.Singleline);

    [Fact]
    public void ExportsAndImportsAgree()
    {
        Dictionary<string, string> exports = Export().Matches(Headers)
            .ToDictionary(m => m.Groups[2].Value, m => $"{CType(m.Groups[1].Value)}({string.Join(", ", Split(m.Groups[3].Value).Select(CParameter))})");
        Dictionary<string, string> imports = Import().Matches(Mirrors)
            .ToDictionary(m => m.Groups[1].Value, m =>
            $"{Enums(m.Groups[2].Value)}({string.Join(", ", Split(m.Groups[3].Value).Select(p => Enums(p.Split(' ')[0])))})");
        Assert.NotEmpty(exports);
        Assert.Equal(exports.Keys.Order(StringComparer.Ordinal), imports.Keys.Order(StringComparer.Ordinal));
        Assert.All(exports, export => Assert.Equal(export.Value, imports[export.Key]));
    }

    [Fact]
    public void StructsAgreeFieldByField()
    {
        Dictionary<string, string[]> headers = HeaderStruct().Matches(Headers)
            .ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(CField).ToArray());
        Dictionary<string, string[]> mirrors = MirrorStruct().Matches(Mirrors)
            .ToDictionary(m => m.Groups[1].Value, m => Regex.Matches(m.Groups[2].Value, @"public ([\w\*]+) (\w+);")
            .Select(f => $"{f.Groups[1].Value} {f.Groups[2].Value}").ToArray());
        Assert.NotEmpty(headers);
        Assert.Equal(headers.Keys.Order(StringComparer.Ordinal), mirrors.Keys.Order(StringComparer.Ordinal));
        Assert.All(headers, header => Assert.Equal(header.Value, mirrors[header.Key]));
    }

    [Fact]
    public void InstructionSetsHaveTheNumbersOfTheHeader()
    {
        string table = Repository.Read("kernels/Core/Machine/InstructionSets.cs");
        string sets = Regex.Match(Headers, @"enum \{\s*KERNELS_SCALAR = .*?\}", RegexOptions.Singleline).Value;
        Dictionary<string, string> header = Regex.Matches(sets, @"KERNELS_(\w+) = (\d+)").ToDictionary(m => Pascal(m.Groups[1].Value.ToLowerInvariant()), m =>
            m.Groups[2].Value);
        Dictionary<string, string> ours = Regex.Matches(table, @"struct (\w+) : INativeInstructionSet.*?NativeNumber => (\d+);", RegexOptions.Singleline)
            .ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        Assert.NotEmpty(header);
        Assert.Equal(header, ours);
    }

    private static string[] Split(string parameters) => parameters.Trim() is "" or "void" ? [] : parameters.Split(',', StringSplitOptions.TrimEntries);

    // "const kernels_softmax_rows* rows" -> NativeSoftmaxRows*
    private static string CParameter(string parameter) => CType(Regex.Match(parameter, @"^(.*?)\s*\w+$", RegexOptions.Singleline).Groups[1].Value);

    private static string CType(string type)
    {
        string folded = Regex.Replace(type.Trim(), @"\s+", " ").Replace(" *", "*", StringComparison.Ordinal);
        Match structure = Regex.Match(folded, @"^(?:const )?kernels_(\w+)\*$");
        return s_types.TryGetValue(folded, out string? known) ? known : structure.Success ? $"Native{Pascal(structure.Groups[1].Value)}*" : folded;
    }

    private static string CField(string field)
    {
        Match parts = Regex.Match(field, @"^(.*?)\s*(\w+)$", RegexOptions.Singleline);
        return $"{CType(parts.Groups[1].Value)} {Pascal(parts.Groups[2].Value)}";
    }

    private static string Enums(string type) => type is "NativeElementType" ? "int" : type;

    private static string Pascal(string snake) => string.Concat(snake.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
}
