using System.Collections.Concurrent;
using Muster.Cryptography.Pkcs11;

namespace Muster.Silo.Pki;

/// <summary>
/// Threads of their own for a key in a hardware module. A call to a module holds its thread for some 20 ms, and for ever when the module
/// hangs: on the threads that grains share, a few hundred devices would stop the silo. When all of them hang nobody else waits: whoever
/// asks is told at once, until a call comes back.
/// </summary>
internal sealed class SigningLane : IDisposable
{
    /// <summary>As many as a module has sessions.</summary>
    internal const int Threads = 4;

    /// <summary>At 20 ms each the last one waits 1.3 s.</summary>
    internal const int WaitingMax = 256;

    /// <summary>Well below what callers wait for the grain that asks (<see cref="Muster.Contracts.CallTimeouts.Commit"/>), twice.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly BlockingCollection<Action> _waiting = new(WaitingMax);

    /// <summary>Of each thread the timestamp of the call that it is in; zero when it is in none.</summary>
    private readonly long[] _calledAt = new long[Threads];

    private readonly TimeProvider _clock;

    public SigningLane(string name, TimeProvider clock)
    {
        _clock = clock;
        for (var i = 0; i < Threads; i++)
        {
            // In the background: a module that hangs does not keep the process from ending.
            var thread = i;
            new Thread(() => Work(thread)) { IsBackground = true, Name = $"{name} {i}" }.Start();
        }
    }

    /// <exception cref="TokenException">It was not done in time, or not at all.</exception>
    public async Task<T> RunAsync<T>(Func<T> sign)
    {
        // The grain that answers for a whole cluster's lists would wait for each of them in vain.
        if (IsHanging())
        {
            throw new TokenException($"All {Threads} calls to the module have had no answer for {Patience.TotalSeconds} s and more.");
        }

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

    private bool IsHanging()
    {
        for (var thread = 0; thread < Threads; thread++)
        {
            var at = Volatile.Read(ref _calledAt[thread]);
            if (at == 0 || _clock.GetElapsedTime(at) < Patience)
            {
                return false;
            }
        }

        return true;
    }

    private void Work(int thread)
    {
        foreach (var sign in _waiting.GetConsumingEnumerable())
        {
            Volatile.Write(ref _calledAt[thread], _clock.GetTimestamp());
            sign();
            Volatile.Write(ref _calledAt[thread], 0);
        }
    }
}
