using Muster.EmbeddedStore;

namespace Muster.Redis.Tests;

public sealed class SharedLogCommitTests : IDisposable
{
    private readonly List<TaskCompletionSource> _started = [];
    private readonly SemaphoreSlim _starts = new(0);
    private readonly SharedLogCommit _commits;

    public SharedLogCommitTests()
    {
        _commits = new SharedLogCommit(() =>
        {
            var running = new TaskCompletionSource();
            _started.Add(running);
            _starts.Release();
            return running.Task;
        });
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _starts.Dispose();

    [Fact]
    public async Task Run_WhileACommitRuns_WaitsForOneThatStartsAfterwardsAndSharesIt()
    {
        var first = _commits.RunAsync();
        await _starts.WaitAsync(Cancel);

        var second = _commits.RunAsync();
        var third = _commits.RunAsync();
        _started[0].SetResult();
        await first;
        await _starts.WaitAsync(Cancel);

        Assert.False(second.IsCompleted);
        _started[1].SetResult();
        await Task.WhenAll(second, third);
        Assert.Equal(2, _started.Count);
    }

    [Fact]
    public async Task Run_WhenACommitFails_TellsItsCallersAndGoesOn()
    {
        var first = _commits.RunAsync();
        await _starts.WaitAsync(Cancel);
        _started[0].SetException(new IOException("disk full"));
        await Assert.ThrowsAsync<IOException>(() => first);

        var second = _commits.RunAsync();
        await _starts.WaitAsync(Cancel);
        _started[1].SetResult();

        await second;
    }
}
