namespace Muster.EmbeddedStore;

/// <summary>
/// Runs one commit of the log at a time. Whoever asks gets one that starts after he asked: the one that is running may
/// have passed his write already, so he shares the next with everybody else who waits.
/// </summary>
internal sealed class SharedLogCommit(Func<Task> commit)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _next;
    private bool _running;

    public Task RunAsync()
    {
        TaskCompletionSource next;
        lock (_gate)
        {
            next = _next ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_running)
            {
                return next.Task;
            }

            _running = true;
        }

        _ = Task.Run(RunAllAsync);
        return next.Task;
    }

    private async Task RunAllAsync()
    {
        while (Take() is { } current)
        {
            try
            {
                await commit();
                current.SetResult();
            }
            catch (Exception exception)
            {
                current.SetException(exception);
            }
        }
    }

    private TaskCompletionSource? Take()
    {
        lock (_gate)
        {
            var current = _next;
            _next = null;
            _running = current is not null;
            return current;
        }
    }
}
