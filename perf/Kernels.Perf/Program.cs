using System.CommandLine;
using Kernels.Perf;

var root = new RootCommand("Kernels at work: what each family does on this machine, and how near to the machine's limits.")
{
    ShowcaseVerb.Create(), InfoVerb.Create(), CompareVerb.Create(), FiguresVerb.Create(), BenchVerb.Create(),
};
return root.Parse(args).Invoke();
