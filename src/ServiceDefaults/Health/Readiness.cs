namespace Muster.ServiceDefaults.Health;

/// <summary>
/// The last answer of the check, asked anew at most once per <see cref="Freshness"/> and never twice at a time: probes cost the
/// cluster nothing, however many ask.
/// </summary>
internal sealed class Readiness(IReadinessCheck check, TimeProvider clock) : IDisposable
{
    /// <summary>A tenth of a usual probe's period.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromMilliseconds(500);

    /// <summary>Below the probes' own time-out of three seconds, so that they hear why.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _asking = new(1, 1);
    private long? _askedAt;
    private string? _problem;

    public async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        await _asking.WaitAsync(cancellationToken);
        try
        {
            if (_askedAt is not { } askedAt || clock.GetElapsedTime(askedAt) >= Freshness)
            {
                _problem = await AskAsync(cancellationToken);
                _askedAt = clock.GetTimestamp();
            }

            return _problem;
        }
        finally
        {
            _asking.Release();
        }
    }

    public void Dispose() => _asking.Dispose();

    private async Task<string?> AskAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            return await check.FindProblemAsync(either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return "The cluster did not answer in time.";
        }
        catch (Exception fault) when (fault is not OutOfMemoryException and not OperationCanceledException)
        {
            return $"The cluster cannot be asked ({fault.GetType().Name}).";
        }
    }
}
