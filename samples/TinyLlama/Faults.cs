namespace TinyLlama;

/// <summary>Failures in one line, for whoever runs the program.</summary>
internal static class Faults
{
    /// <summary>Whether a failure is one of the files, of the arguments, or of this machine's memory, rather than a mistake of the program.</summary>
    public static bool IsOfInput(Exception failure) =>
        failure is IOException or InvalidDataException or FormatException or UnauthorizedAccessException or System.Security.SecurityException
            or ArgumentException or NotSupportedException or ArithmeticException or OutOfMemoryException;

    /// <summary>The message without the name of a parameter that the user never gave, and without line breaks.</summary>
    public static string OneLine(Exception failure)
    {
        string message = failure is OutOfMemoryException ? "there is not enough memory" : failure.Message;
        if (failure is ArgumentException { ParamName: { } parameter })
            message = message.Replace($" (Parameter '{parameter}')", "", StringComparison.Ordinal);
        return message.ReplaceLineEndings(" ");
    }
}
