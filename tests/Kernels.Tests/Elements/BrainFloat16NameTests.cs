using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using Kernels;

// .NET 11's type, for runtimes without it: its name and size are all that is needed here.
namespace System.Numerics
{
    internal readonly struct BFloat16(ushort bits)
    {
        public ushort Bits { get; } = bits;
    }
}

// A user's namespace, in which neither library's types are found without a using.
namespace Users.Program
{
    /// <summary>A file with both usings compiles, and names both types.</summary>
    public sealed class BrainFloat16NameTests
    {
        [Fact]
        public void BothTypesAreNamedInOneFile()
        {
            BrainFloat16[] ours = [(BrainFloat16)1.5f, (BrainFloat16)(-2f)];
            BFloat16 theirs = MemoryMarshal.Cast<BrainFloat16, BFloat16>(ours)[1];
            Assert.Equal(0xC000, theirs.Bits);
            Assert.Equal(-2f, (float)BrainFloat16.FromBits(theirs.Bits));
        }

        [Fact]
        public void NoPublicNameIsOneOfTheNamespacesThatAFileOfNumericsUses()
        {
            string[] namespaces = ["System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Numerics", "System.Numerics.Tensors",
                "System.Threading", "System.Threading.Tasks"];
            Type[] anchors = [typeof(object), typeof(Enumerable), typeof(BigInteger), typeof(Vector), typeof(Stack<int>), typeof(CultureInfo), typeof(Console)];
            HashSet<string> taken = [.. anchors.Select(anchor => anchor.Assembly).Distinct().SelectMany(assembly => assembly.GetExportedTypes())
                .Where(type => namespaces.Contains(type.Namespace)).Select(type => type.Name), nameof(BFloat16)];
            Assert.True(taken.Count > 300);
            Assert.Equal([], typeof(KernelInfo).Assembly.GetExportedTypes().Select(type => type.Name).Where(taken.Contains));
        }
    }
}
