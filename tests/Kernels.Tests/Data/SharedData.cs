namespace Kernels.Tests;

/// <summary>Real data that lies beside the project, not in it; tests that need what is absent are skipped by name.</summary>
internal static class SharedData
{
    /// <summary>The path of a file under shared/data beside this checkout; skips the test if there is none.</summary>
    public static string Find(string relative)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "shared", "data", relative);
            if (File.Exists(candidate))
                return candidate;
        }
        Skip.If(true, $"shared/data/{relative} is not beside this checkout");
        throw new FileNotFoundException(relative);
    }
}
