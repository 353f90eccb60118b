using GraphTriangles;

namespace Kernels.Tests;

/// <summary>The sample's measures of graphs, against counting by hand and against published values.</summary>
public sealed class GraphTrianglesTests
{
    private static CsrMatrix<long> RandomGraph(int vertices, double density, int seed)
    {
        var random = new Random(seed);
        (int, int)[] edges = [.. from a in Enumerable.Range(0, vertices) from b in Enumerable.Range(0, a) where random.NextDouble() < density select (a, b)];
        return GraphMeasures.Undirected(CsrMatrix.FromCoo<double>(vertices, vertices, [.. edges.Select(e => e.Item1)], [.. edges.Select(e => e.Item2)],
            [.. edges.Select(_ => -1.5)]));
    }

    private static HashSet<(int, int)> Edges(CsrMatrix<long> graph) =>
        [.. Enumerable.Range(0, graph.RowCount).SelectMany(row => graph.RowColumns(row).ToArray().Select(column => (row, column)))];

    // Removes edges one round after another, as the definition says.
    private static HashSet<(int, int)> TrussByHand(HashSet<(int, int)> edges, int vertices, int k)
    {
        while (true)
        {
            HashSet<(int, int)> kept = [.. edges.Where(e => Enumerable.Range(0, vertices)
                .Count(v => edges.Contains((e.Item1, v)) && edges.Contains((v, e.Item2))) >= k - 2)];
            if (kept.Count == edges.Count)
                return kept;
            edges = kept;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void TrussesAreThoseOfTheDefinition(int seed)
    {
        const int vertices = 40;
        CsrMatrix<long> graph = RandomGraph(vertices, 0.25, seed);
        for (int k = 3; k < 8; k++)
            Assert.Equal(TrussByHand(Edges(graph), vertices, k).Order(), Edges(GraphMeasures.Truss(graph, k)).Order());
        Assert.NotEqual(0, GraphMeasures.Truss(graph, 3).EntryCount);
    }

    [SkippableFact]
    public void ZacharysKarateClub()
    {
        CsrMatrix<long> graph = GraphMeasures.Undirected(MatrixMarket.Read<double>(SharedData.Find("sparse/suitesparse/karate.mtx")));
        Assert.Equal((34, 156, 45), (graph.RowCount, graph.EntryCount, Sparse.CountTriangles(graph)));
        // The average clustering coefficient that is given for this graph everywhere.
        Assert.Equal(0.5706, GraphMeasures.Clustering(graph), 5e-5);
    }
}
