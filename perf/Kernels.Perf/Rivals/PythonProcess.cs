using System.ComponentModel;
using System.Diagnostics;

namespace Kernels.Perf;

/// <summary>
/// A Python interpreter that has a rival's package and runs a script and answers each line with a line. The child measures within itself, so that the pipe
/// between us costs it nothing; it ends when its standard input does.
/// </summary>
internal sealed class PythonProcess
{
    // Debian's packages belong to the system's interpreter, which need not be the first on the path.
    private static readonly string[] s_interpreters = ["python3", "/usr/bin/python3"];

    private readonly Process _child;

    private PythonProcess(Process child, string version) => (_child, Version) = (child, version);

    public string Version { get; }

    /// <summary>Starts a script that first of all imports the rival's package and prints its version; null if no interpreter has it.</summary>
    public static PythonProcess? Start(string script)
    {
        foreach (string interpreter in s_interpreters)
        {
            var start = new ProcessStartInfo(interpreter, ["-u", "-c", script])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            // Its BLAS may be OpenBLAS.
            if (OpenBlas.ForcedCore is { } core)
                start.Environment[OpenBlas.CoreVariable] = core;
            if (Torch.ForcedCapability is { } capability)
                start.Environment[Torch.CapabilityVariable] = capability;
            try
            {
                Process child = Process.Start(start)!;
                child.ErrorDataReceived += (_, _) => { };
                child.BeginErrorReadLine();
                if (child.StandardOutput.ReadLine() is { } version)
                    return new PythonProcess(child, version);
            }
            catch (Win32Exception)
            {
                // No such interpreter: try the next.
            }
        }
        return null;
    }

    /// <summary>Sends a line and waits for the answer.</summary>
    public string Ask(string line)
    {
        _child.StandardInput.WriteLine(line);
        return _child.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{Version}: the interpreter ended while answering '{line}'");
    }
}
