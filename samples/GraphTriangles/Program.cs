// Triangles of a graph: how many, how clustered, and its trusses.
//
//   dotnet run -c Release --project samples/GraphTriangles -- graph.mtx
//
// The Matrix Market file (plain or gzip) is taken as an undirected graph: values and the diagonal do not matter.
using System.Globalization;
using GraphTriangles;
using Kernels;

if (args.Length != 1)
{
    Console.Error.WriteLine("usage: GraphTriangles graph.mtx");
    return 2;
}
using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    interrupted.Cancel();
};
try
{
    CsrMatrix<long> graph = GraphMeasures.Undirected(MatrixMarket.Read<double>(args[0]));
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{graph.RowCount} vertices, {graph.EntryCount / 2} edges, {Sparse.CountTriangles(graph)} triangles, clustering {GraphMeasures.Clustering(graph):F4}"));
    for (int k = 3; graph.EntryCount > 0; k++)
    {
        graph = GraphMeasures.Truss(graph, k, interrupted.Token);
        if (graph.EntryCount > 0)
            Console.WriteLine($"{k}-truss: {graph.EntryCount / 2} edges");
    }
    return 0;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("interrupted");
    return 130;
}
catch (Exception exception) when (exception is IOException or InvalidDataException or FormatException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}
