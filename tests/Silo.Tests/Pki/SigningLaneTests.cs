using Microsoft.Extensions.Time.Testing;
using Muster.Cryptography.Pkcs11;
using Muster.Silo.Pki;

namespace Muster.Silo.Tests.Pki;

/// <summary>Signatures by a module that stands still: who waits, how long, how many, and what becomes of it afterwards.</summary>
public sealed class SigningLaneTests : IDisposable
{
    /// <summary>Of real time, for threads to get to where they stand still.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _clock = new();
    private readonly ManualResetEventSlim _answers = new();
    private readonly SigningLane _lane;
    private int _called;

    public SigningLaneTests() => _lane = new SigningLane("fleet-ca-1", _clock);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunAsync_WhileTheModuleHangs_TellsEveryCallerInTimeAndBoundsThoseWhoWait()
    {
        var inside = await FillAsync(SigningLane.Threads);
        var waiting = Ask(SigningLane.WaitingMax);

        Assert.Contains($"{SigningLane.WaitingMax} signatures wait", await RefusalAsync(_lane.RunAsync(Sign)), StringComparison.Ordinal);
        _clock.Advance(SigningLane.Patience - TimeSpan.FromMilliseconds(1));
        Assert.DoesNotContain(inside.Concat(waiting), caller => caller.IsCompleted);

        _clock.Advance(TimeSpan.FromMilliseconds(1));
        foreach (var caller in inside.Concat(waiting))
        {
            Assert.Contains("has not signed within 5 s", await RefusalAsync(caller), StringComparison.Ordinal);
        }

        // From now on nobody waits in vain.
        Assert.Contains("no answer for 5 s and more", await RefusalAsync(_lane.RunAsync(Sign)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_WhenTheModuleIsBack_SignsAndForgetsThoseWhoWereToldThatItDoesNot()
    {
        var told = (await FillAsync(SigningLane.Threads)).Concat(Ask(SigningLane.WaitingMax)).ToList();
        _clock.Advance(SigningLane.Patience);
        foreach (var caller in told)
        {
            await RefusalAsync(caller);
        }

        _answers.Set();
        Assert.Equal("signed", await InsistAsync());

        // Those that were in the module when it stood still, and the one that came afterwards.
        Assert.Equal(SigningLane.Threads + 1, Volatile.Read(ref _called));
        Assert.All(await Task.WhenAll(Ask(SigningLane.WaitingMax)), signed => Assert.Equal("signed", signed));
    }

    [Fact]
    public async Task RunAsync_WhenOneCallIsLostForEver_IsServedByTheOtherThreads()
    {
        var lost = await FillAsync(1);
        _clock.Advance(SigningLane.Patience * 10);
        await RefusalAsync(lost[0]);

        for (var i = 0; i < SigningLane.Threads; i++)
        {
            Assert.Equal("signed", await _lane.RunAsync(() => "signed").WaitAsync(Limit, Cancel));
        }
    }

    [Fact]
    public async Task RunAsync_OfASignatureThatFails_GivesItsFaultAndGoesOn()
    {
        for (var i = 0; i <= SigningLane.Threads; i++)
        {
            var failed = _lane.RunAsync<string>(() => throw new TokenException("The token is gone."));
            Assert.Equal("The token is gone.", await RefusalAsync(failed));
        }

        Assert.Equal("signed", await _lane.RunAsync(() => "signed").WaitAsync(Limit, Cancel));
    }

    public void Dispose()
    {
        _answers.Set();
        _lane.Dispose();
    }

    /// <summary>As many calls as that stand still in the module.</summary>
    private async Task<List<Task<string>>> FillAsync(int calls)
    {
        var inside = Ask(calls);
        await Task.Run(() => Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _called) == calls, Limit)), Cancel);
        return inside;
    }

    private List<Task<string>> Ask(int callers) => [.. Enumerable.Range(0, callers).Select(_ => _lane.RunAsync(Sign))];

    private string Sign()
    {
        Interlocked.Increment(ref _called);
        _answers.Wait(Cancel);
        return "signed";
    }

    /// <summary>Until the threads have come back.</summary>
    private async Task<string> InsistAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(Limit);
        while (true)
        {
            try
            {
                return await _lane.RunAsync(Sign).WaitAsync(limit.Token);
            }
            catch (TokenException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), limit.Token);
            }
        }
    }

    private static async Task<string> RefusalAsync(Task<string> caller) =>
        (await Assert.ThrowsAsync<TokenException>(() => caller.WaitAsync(Limit, Cancel))).Message;
}
