namespace CharRnn;

/// <summary>A file that is there whole or not at all: it is written beside its place and renamed at the end.</summary>
internal static class WholeFile
{
    /// <summary>Writes a file in place of what has its name; where <paramref name="write"/> fails, that stays as it was and nothing is left behind.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        string whole = Path.GetFullPath(path), part = $"{whole}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(part, FileMode.CreateNew))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(part, whole, overwrite: true);
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }
}
