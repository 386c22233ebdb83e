using System.Collections.Concurrent;
using Muster.Cryptography.Pkcs11;

namespace Muster.Silo.Pki;

/// <summary>
/// Threads of their own for a key in a hardware module. A call to a module holds its thread for some 20 ms, and for ever when the module
/// hangs: on the threads that grains share, a few hundred devices would stop the silo.
/// </summary>
internal sealed class SigningLane : IDisposable
{
    /// <summary>As many as a module has sessions.</summary>
    private const int Threads = 4;

    /// <summary>At 20 ms each the last one waits 1.3 s.</summary>
    private const int WaitingMax = 256;

    /// <summary>Well below what callers wait for the grain that asks (<see cref="Muster.Contracts.CallTimeouts.Commit"/>), twice.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly BlockingCollection<Action> _waiting = new(WaitingMax);
    private readonly TimeProvider _clock;

    public SigningLane(string name, TimeProvider clock)
    {
        _clock = clock;
        for (var i = 0; i < Threads; i++)
        {
            // In the background: a module that hangs does not keep the process from ending.
            new Thread(Work) { IsBackground = true, Name = $"{name} {i}" }.Start();
        }
    }

    /// <exception cref="TokenException">It was not done in time, or not at all.</exception>
    public async Task<T> RunAsync<T>(Func<T> sign)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_waiting.TryAdd(() => Complete(done, sign)))
        {
            throw new TokenException($"{WaitingMax} signatures wait for the module already.");
        }

        try
        {
            return await done.Task.WaitAsync(Patience, _clock);
        }
        catch (TimeoutException)
        {
            // Nobody waits for it any more: if it has not begun, it is not done.
            done.TrySetCanceled();
            throw new TokenException($"The module has not signed within {Patience.TotalSeconds} s.");
        }
    }

    public void Dispose() => _waiting.CompleteAdding();

    private static void Complete<T>(TaskCompletionSource<T> done, Func<T> sign)
    {
        if (done.Task.IsCompleted)
        {
            return;
        }

        try
        {
            done.TrySetResult(sign());
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            done.TrySetException(exception);
        }
    }

    private void Work()
    {
        foreach (var sign in _waiting.GetConsumingEnumerable())
        {
            sign();
        }
    }
}
