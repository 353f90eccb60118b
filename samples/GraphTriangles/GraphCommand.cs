using System.Globalization;
using System.Numerics;
using Kernels;

namespace GraphTriangles;

/// <summary>The program: measures of the graph in a file, or one line that says why there are none.</summary>
internal static class GraphCommand
{
    public static int Run(string[] arguments, TextWriter output, TextWriter errors, CancellationToken interrupted)
    {
        if (arguments is not [var path])
        {
            errors.WriteLine("usage: GraphTriangles graph.mtx");
            return 1;
        }
        try
        {
            Measure(path, output, interrupted);
            return 0;
        }
        catch (OperationCanceledException)
        {
            errors.WriteLine("interrupted");
            return 130;
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or FormatException or UnauthorizedAccessException
            or ArgumentException or OverflowException or OutOfMemoryException)
        {
            errors.WriteLine(exception.Message.ReplaceLineEndings(" "));
            return 1;
        }
    }

    private static void Measure(string path, TextWriter output, CancellationToken interrupted)
    {
        KernelOptions kernel = new() { CancellationToken = interrupted };
        // Every file can be read as complex numbers.
        CsrMatrix<long> graph = GraphMeasures.Undirected(MatrixMarket.Read<Complex>(path, new() { Lenient = true, Kernel = kernel }));
        long triangles = Sparse.CountTriangles(graph, kernel);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{graph.RowCount} vertices, {graph.EntryCount / 2} edges, {triangles} triangles, clustering {GraphMeasures.Clustering(graph):F4}"));
        for (int k = 3; graph.EntryCount > 0; k++)
        {
            graph = GraphMeasures.Truss(graph, k, interrupted);
            if (graph.EntryCount > 0)
                output.WriteLine($"{k}-truss: {graph.EntryCount / 2} edges");
        }
    }
}
