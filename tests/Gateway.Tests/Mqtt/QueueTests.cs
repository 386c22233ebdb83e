using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Tests.Mqtt;

public sealed class QueueTests
{
    [Fact]
    public void Put_WhenTheQueueIsFull_DropsTheOldest()
    {
        var outbox = new Outbox(messagesMax: 2);

        Assert.False(outbox.Put(Ack(1)));
        Assert.False(outbox.Put(Ack(2)));
        Assert.True(outbox.Put(Ack(3)));

        Assert.Equal([Ack(2), Ack(3)], TakeAll(outbox));
    }

    [Fact]
    public void Put_OfDesired_KeepsTheNewestGenerationOnly()
    {
        var outbox = new Outbox(messagesMax: 2);

        outbox.Put(Desired(2));
        outbox.Put(Desired(3));
        outbox.Put(Desired(1));

        Assert.Equal([Desired(3)], TakeAll(outbox));
    }

    [Fact]
    public void Window_OpensUpToItsSizeAndReusesNoIdentifierThatIsUnderWay()
    {
        var window = new PacketWindow(size: 2);
        var first = window.Open();
        var second = window.Open();

        Assert.True(window.IsFull);
        Assert.NotEqual(first, second);
        Assert.False(window.Close(0));
        Assert.True(window.Close(first));
        Assert.False(window.Close(first));
        Assert.False(window.IsFull);
    }

    [Fact]
    public void Window_AfterTheLastIdentifier_StartsAtOneAndSkipsWhatIsUnderWay()
    {
        var window = new PacketWindow(size: 2);
        Assert.Equal(1, window.Open());
        for (var i = 2; i <= ushort.MaxValue; i++)
        {
            Assert.True(window.Close(window.Open()));
        }

        Assert.Equal(2, window.Open());
    }

    [Fact]
    public void Gate_AfterTheBurst_GivesOneTurnPerInterval()
    {
        var gate = new RateGate(ticksPerMessage: 100, burst: 3);

        Assert.Equal([0, 0, 0, 100, 200], [gate.Take(0), gate.Take(0), gate.Take(0), gate.Take(0), gate.Take(0)]);
    }

    [Fact]
    public void Gate_AfterAPause_GivesTheBurstAgainAndNoMore()
    {
        var gate = new RateGate(ticksPerMessage: 100, burst: 2);
        gate.Take(0);
        gate.Take(0);

        Assert.Equal([0, 0, 100], [gate.Take(10_000), gate.Take(10_000), gate.Take(10_000)]);
    }

    [Fact]
    public void Text_OfARefusal_IsOneBoundedLine()
    {
        var error = FleetError.Of(ErrorKind.Denied, "CERTIFICATE_UNTRUSTED", "a\nb" + new string('c', 1000));

        var text = ReasonCodes.TextOf(error);

        Assert.StartsWith("CERTIFICATE_UNTRUSTED: a?bc", text, StringComparison.Ordinal);
        Assert.Equal(400, text.Length);
    }

    private static AckMessage Ack(long sequence) => new(UpKind.Report, new MessageStamp("b", sequence));

    private static DesiredMessage Desired(long generation) => new(new DesiredState(generation, null, null));

    private static List<DownMessage> TakeAll(Outbox outbox)
    {
        var all = new List<DownMessage>();
        while (outbox.TryTake(out var message))
        {
            all.Add(message);
        }

        return all;
    }
}
