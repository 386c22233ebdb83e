using System.Globalization;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MQTTnet.Formatter;
using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Gateway.Identity;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Fuzz;

/// <summary>
/// Packets that nobody meant, given to the listener from the first byte after the TLS handshake. MUSTER_FUZZ_PACKETS says how many,
/// MUSTER_FUZZ_SEED repeats a run.
/// </summary>
[Collection(nameof(WeighedAlone))]
public sealed class MutatedPacketTests
{
    private const int PacketsOfAConnectionMax = 16;

    /// <summary>What a run of any length may leave: the first connections warm up pools and code.</summary>
    private const long GrowthBytesMax = 16 << 20;

    /// <summary>Far above what one connection needs; one that hangs is a fault.</summary>
    private static readonly TimeSpan ConnectionTimeout = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Serve_MutatedPackets_EndsEveryConnectionAndKeepsNothing()
    {
        var total = Setting("MUSTER_FUZZ_PACKETS", 20_000);
        var seed = Setting("MUSTER_FUZZ_SEED", Random.Shared.Next());
        TestContext.Current.TestOutputHelper?.WriteLine($"MUSTER_FUZZ_SEED={seed}");
        await using var edge = await DeviceEdge.StartAsync(
            ("Muster:Mqtt:MessagesPerSecond", "1000000"), ("Muster:Mqtt:MessagesBurst", "1000000"));
        using var certificate = edge.Pki.Issue(Samples.Serial);
        var identity = edge.Pki.CreateVerifier().Verify(certificate, null, TimeProvider.System.GetUtcNow());
        var handler = ActivatorUtilities.CreateInstance<DeviceConnectionHandler>(edge.Services, NoUnseenFault.Logger);
        PacketCorpus[] corpora = [new(MqttProtocolVersion.V500), new(MqttProtocolVersion.V311)];
        var random = new Random(seed);
        long sent = 0, baseline = 0, answered = 0;

        while (sent < total)
        {
            var (packets, count) = Connection(corpora[random.Next(2)], random);
            answered += await ServeAsync(handler, identity, packets);
            sent += count;
            Forget(edge);
            if (baseline == 0 && sent >= total / 4)
            {
                baseline = GC.GetTotalMemory(forceFullCollection: true);
            }
        }

        var registry = edge.Services.GetRequiredService<SessionRegistry>();
        Assert.Equal(0, registry.Connections);
        Assert.Empty(registry.Sessions);
        Assert.True(answered > sent, "The listener did not answer: the mutants never came past CONNECT.");
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - baseline, long.MinValue, GrowthBytesMax);
        TestContext.Current.TestOutputHelper?.WriteLine($"{sent} packets, {answered} bytes of answers.");
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>Most begin with a CONNECT that is admitted, so that the rest is read by a session.</summary>
    private static (byte[] Packets, int Count) Connection(PacketCorpus corpus, Random random)
    {
        var bytes = new List<byte>();
        if (random.Next(8) > 0)
        {
            bytes.AddRange(corpus.Connect.ToArray());
        }

        var count = random.Next(1, PacketsOfAConnectionMax + 1);
        for (var i = 0; i < count; i++)
        {
            bytes.AddRange(corpus.Mutate(random));
        }

        return ([.. bytes], count);
    }

    /// <summary>One connection, whose peer says all it has and reads what it is told; how many bytes that was.</summary>
    private static async Task<long> ServeAsync(DeviceConnectionHandler handler, DeviceIdentityResult identity, byte[] packets)
    {
        var toListener = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var toPeer = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await using var connection = new DefaultConnectionContext(
            Guid.NewGuid().ToString("N"), new Duplex(toListener.Reader, toPeer.Writer), new Duplex(toPeer.Reader, toListener.Writer));
        connection.Items[typeof(DevicePeer)] = new DevicePeer(TenantId.Default) { Result = identity };
        await toListener.Writer.WriteAsync(packets, TestContext.Current.CancellationToken);
        await toListener.Writer.CompleteAsync();

        await handler.OnConnectedAsync(connection).WaitAsync(ConnectionTimeout, TestContext.Current.CancellationToken);

        await toPeer.Writer.CompleteAsync();
        var answers = await toPeer.Reader.ReadAtLeastAsync(int.MaxValue, TestContext.Current.CancellationToken);
        var length = answers.Buffer.Length;
        await toPeer.Reader.CompleteAsync();
        return length;
    }

    /// <summary>The fake grain keeps what it was told for other tests.</summary>
    private static void Forget(DeviceEdge edge)
    {
        var device = edge.Grains.Device(Samples.Serial);
        device.Received.Clear();
        device.Admitted.Clear();
        device.Disconnected.Clear();
    }

    /// <summary>The memory that is compared is the whole process's, and must not be other tests' as well.</summary>
    [CollectionDefinition(nameof(WeighedAlone), DisableParallelization = true)]
    public sealed class WeighedAlone;

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>What the handler logs as broken is the peer's end; a fault of ours must not hide behind it.</summary>
    private sealed class NoUnseenFault : ILogger<DeviceConnectionHandler>
    {
        public static NoUnseenFault Logger { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (exception is not (null or IOException or OperationCanceledException or ConnectionAbortedException))
            {
                throw new InvalidDataException($"The listener met a fault of its own: {formatter(state, exception)}", exception);
            }
        }
    }
}
