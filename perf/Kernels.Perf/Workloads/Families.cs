namespace Kernels.Perf;

/// <summary>The families that have benchmarks: every <see cref="IFamilyBench"/> of this program, in the order of the catalogue.</summary>
internal static class Families
{
    public static IReadOnlyList<IFamilyBench> All { get; } =
    [
        .. typeof(Families).Assembly.GetTypes().Where(type => type.IsClass && type.IsAssignableTo(typeof(IFamilyBench)))
            .Select(type => (IFamilyBench)Activator.CreateInstance(type)!).OrderBy(bench => PlaceInCatalogue(bench.Family)),
    ];

    private static int PlaceInCatalogue(string family) => Array.IndexOf([.. KernelInfo.Catalogue.Select(dispatch => dispatch.Chosen.Family)], family);
}
