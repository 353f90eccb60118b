namespace Kernels.Perf;

/// <summary>Texts compiled into this program.</summary>
internal static class EmbeddedText
{
    public static string Read(string name)
    {
        using Stream stream = typeof(EmbeddedText).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not embedded in this program");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
