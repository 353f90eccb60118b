using System.Text.RegularExpressions;

namespace Kernels.Repository.Tests;

/// <summary>Where a type lives: its layer is the folder of the backend or door, its room the folder in it (a family, or a room that families share).</summary>
internal readonly record struct SourceRoom(string Layer, string Room, string File)
{
    public override string ToString() => $"{Layer}/{Room}";
}

/// <summary>The rooms of all types of the base library, read from where its sources declare them.</summary>
internal static partial class SourceRooms
{
    public static readonly string[] Layers = ["kernels/Core", "kernels/Cpu", "Interop", "Managed"];

    /// <summary>By full name without arity, as metadata spell it: namespace and outermost name.</summary>
    public static Dictionary<string, SourceRoom> Read()
    {
        Dictionary<string, SourceRoom> rooms = [];
        foreach (string layer in Layers)
        {
            foreach (string file in Repository.Files(layer, "*.cs"))
            {
                string text = File.ReadAllText(file), relative = Path.GetRelativePath(Repository.Root, file);
                string[] below = Path.GetRelativePath(Path.Combine(Repository.Root, layer), file).Split(Path.DirectorySeparatorChar);
                string @namespace = Namespace().Match(text).Groups[1].Value;
                foreach (Match declaration in Declaration().Matches(text))
                    rooms[$"{@namespace}.{declaration.Groups["name"].Value}"] = new(layer, below.Length > 1 ? below[0] : "", relative);
            }
        }
        return rooms;
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^(?:(?:public|internal|static|sealed|readonly|abstract|partial|ref|unsafe|file)\s+)*(?:class|struct|interface|enum|record struct|record class|record|delegate\s+[\w<>\[\],\*\s]+?)\s+(?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
