namespace Kernels.Core.Catalogue;

/// <summary>The environment variable <c>KERNELS_FORCE</c>: identities separated by commas, at most one for each family and element type.</summary>
internal static class ForcedVariants
{
    public const string EnvironmentName = "KERNELS_FORCE";

    /// <summary>Its value when the process first asked; later changes have no effect.</summary>
    public static string? FromEnvironment { get; } = Environment.GetEnvironmentVariable(EnvironmentName);

    /// <summary>Refuses identities that name no variant of the whole catalogue: a misspelt family would otherwise be ignored by every table.</summary>
    /// <exception cref="ArgumentException">An identity is not in the catalogue.</exception>
    public static void Check(string? identities, IEnumerable<KernelVariant> catalogue)
    {
        foreach (string identity in Split(identities))
        {
            if (!catalogue.Any(variant => variant.Identity == identity))
                throw new ArgumentException($"'{identity}' names no variant of the catalogue", EnvironmentName);
        }
    }

    public static string[] Split(string? identities) =>
        identities?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
