namespace Kernels.Managed;

/// <summary>The caller's workspace for the duration of a call, or one that is freed after it.</summary>
internal readonly ref struct WorkspaceLease
{
    private readonly bool _isOwn;

    public WorkspaceLease(SpGemmWorkspace? given)
    {
        Workspace = given ?? new SpGemmWorkspace();
        _isOwn = given is null;
        Workspace.Enter();
    }

    public SpGemmWorkspace Workspace { get; }

    public void Dispose()
    {
        Workspace.Exit();
        if (_isOwn)
            Workspace.Dispose();
    }
}
