using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Muster.Gateway.Identity;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Tests.Mqtt;

public sealed class HandshakeGateTests
{
    [Fact]
    public async Task EnterAt_AfterATurnCouldNotBeGiven_GivesTurnsAgain()
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var (clock, options) = (new BrokenClock(), Options.Create(new MqttOptions { HandshakesMax = 1 }));
        using var calls = new DeviceCalls(options);
        var gate = new HandshakeGate(
            options, calls, new DoorInstruments(services.GetRequiredService<IMeterFactory>()), clock, NullLogger<HandshakeGate>.Instance);
        var (first, second, third) = (new Visitor(), new Visitor(), new Visitor());
        var (one, two) = (first.EnterAsync(gate), second.EnterAsync(gate));
        await first.Begun;

        clock.Break();
        first.Leave();
        await one;
        await clock.Broke;
        var three = third.EnterAsync(gate);
        third.Leave();

        await second.Begun;
        second.Leave();
        await Task.WhenAll(two, three);
    }

    /// <summary>Somebody whose handshake takes as long as the test wants.</summary>
    private sealed class Visitor
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _leave = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => _begun.Task;

        public void Leave() => _leave.TrySetResult();

        public Task EnterAsync(HandshakeGate gate) => gate.EnterAt("mqtt")(async _ =>
        {
            _begun.TrySetResult();
            await _leave.Task;
        })(new DefaultConnectionContext());
    }

    /// <summary>The next timer of who waits cannot be stopped.</summary>
    private sealed class BrokenClock : TimeProvider
    {
        private readonly TaskCompletionSource _broke = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _isBroken;

        public Task Broke => _broke.Task;

        public void Break() => Volatile.Write(ref _isBroken, 1);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            return dueTime == new MqttOptions().HandshakeWaitTimeout ? new PatienceTimer(this, timer) : timer;
        }

        private sealed class PatienceTimer(BrokenClock clock, ITimer inner) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => inner.Change(dueTime, period);

            public void Dispose()
            {
                inner.Dispose();
                if (Interlocked.Exchange(ref clock._isBroken, 0) == 1)
                {
                    clock._broke.TrySetResult();
                    throw new InvalidOperationException("It cannot be stopped.");
                }
            }

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }
}
