namespace Kernels;

/// <summary>A file that does not hold what its format demands. The message says what is wrong.</summary>
public sealed class KernelFormatException : FormatException
{
    /// <param name="file">The file's name, or what stands for it.</param>
    /// <param name="line">The line at fault, from 1 on.</param>
    /// <param name="message">What is wrong there.</param>
    public KernelFormatException(string file, long line, string message)
        : base($"{file}, line {line}: {message}") => (File, Line) = (file, line);

    /// <summary>The file's name, or what stands for it.</summary>
    public string File { get; }

    /// <summary>The line at fault, from 1 on.</summary>
    public long Line { get; }
}
