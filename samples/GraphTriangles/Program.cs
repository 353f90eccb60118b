// Triangles of a graph: how many, how clustered, and its trusses.
//
//   dotnet run -c Release --project samples/GraphTriangles -- graph.mtx
//
// The Matrix Market file (plain, gzip, or in a tar archive) is taken as an undirected graph: values and the diagonal do not matter.
using GraphTriangles;

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    interrupted.Cancel();
};
return GraphCommand.Run(args, Console.Out, Console.Error, interrupted.Token);
