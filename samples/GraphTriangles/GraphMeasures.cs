using System.Numerics;
using Kernels;

namespace GraphTriangles;

/// <summary>
/// What triangles say about an undirected graph, given as a symmetric matrix without a diagonal. Each is one masked product: (A A)[i, j] counts the paths i - k
/// - j.
/// </summary>
internal static class GraphMeasures
{
    /// <summary>The undirected graph of a matrix: an edge where either place of a pair has an entry, none from a vertex to itself, all values 1.</summary>
    public static CsrMatrix<long> Undirected<T>(CsrMatrix<T> matrix) where T : unmanaged, INumberBase<T>
    {
        if (matrix.RowCount != matrix.ColumnCount)
            throw new InvalidDataException($"a graph's matrix is square, and this one has {matrix.RowCount} rows and {matrix.ColumnCount} columns");
        var rows = new List<int>();
        var columns = new List<int>();
        CsrMatrix<T> both = Sparse.Add(matrix, matrix.Transpose());
        for (int row = 0; row < both.RowCount; row++)
        {
            foreach (int column in both.RowColumns(row))
            {
                if (column != row)
                {
                    rows.Add(row);
                    columns.Add(column);
                }
            }
        }
        return CsrMatrix.FromCoo<long>(matrix.RowCount, matrix.RowCount, [.. rows], [.. columns], [.. Enumerable.Repeat(1L, rows.Count)]);
    }

    /// <summary>For each edge the number of triangles it is part of.</summary>
    public static CsrMatrix<long> Support(CsrMatrix<long> graph, SpGemmWorkspace? workspace = null) =>
        SpGemm.Multiply<long, PlusPair<long>>(graph, graph, new() { Mask = SpGemmMask.Of(graph), Workspace = workspace });

    /// <summary>
    /// Twice the triangles at a vertex over its pairs of neighbours, on average over all vertices; vertices with fewer than two neighbours count as 0, and so
    /// does a graph without vertices.
    /// </summary>
    public static double Clustering(CsrMatrix<long> graph)
    {
        CsrMatrix<long> support = Support(graph);
        double sum = 0;
        for (int vertex = 0; vertex < graph.RowCount; vertex++)
        {
            long neighbours = graph.RowColumns(vertex).Length, twice = 0;
            foreach (long count in support.RowValues(vertex))
                twice += count;
            sum += neighbours < 2 ? 0 : (double)twice / (neighbours * (neighbours - 1));
        }
        return graph.RowCount == 0 ? 0 : sum / graph.RowCount;
    }

    /// <summary>The largest part of the graph in which every edge is part of at least k - 2 triangles.</summary>
    public static CsrMatrix<long> Truss(CsrMatrix<long> graph, int k, CancellationToken interrupted = default)
    {
        using var workspace = new SpGemmWorkspace();
        while (true)
        {
            interrupted.ThrowIfCancellationRequested();
            // Edges without a triangle have no entry in the product.
            CsrMatrix<long> kept = Sparse.Prune(Support(graph, workspace), k - 3L);
            long before = graph.EntryCount;
            graph = kept.WithValues<long>([.. Enumerable.Repeat(1L, (int)kept.EntryCount)]);
            if (graph.EntryCount == before)
                return graph;
        }
    }
}
