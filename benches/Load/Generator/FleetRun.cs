using System.Net;
using System.Net.Security;
using System.Text.Json;
using Muster.Protocol;

namespace Muster.Load.Generator;

/// <summary>Devices of one server that stay connected.</summary>
internal sealed record FleetOrder
{
    public required int Port { get; init; }

    public required string ServerCaFile { get; init; }

    public required string IdentityFolder { get; init; }

    public required string[] Devices { get; init; }

    public required string BootId { get; init; }

    /// <summary>False for a server that answers nothing but CONNECT.</summary>
    public required bool Speaks { get; init; }
}

/// <summary>What became of one command. Seconds count from the moment the command was read.</summary>
/// <param name="Connected">Devices that are connected now.</param>
/// <param name="BackSeconds">Until the last of them had its CONNACK.</param>
/// <param name="BackMedianSeconds">Until half of them had theirs.</param>
/// <param name="SaidSeconds">Until the last message was acknowledged; what was said then.</param>
/// <param name="Acknowledged">Inventories, each counted once however often it was sent.</param>
/// <param name="Failed">Connects that did not succeed and were repeated.</param>
/// <param name="Problems">The first few reasons.</param>
internal sealed record FleetOutcome(
    int Connected, double BackSeconds, double BackMedianSeconds, double SaidSeconds, long Acknowledged, long Failed, string[] Problems);

/// <summary>
/// The generator of connections that stay: reads one command per line (<c>connect</c>, <c>reconnect</c>, <c>storm</c>) and answers each
/// with a line of JSON. Ends when its input does.
/// </summary>
internal sealed class FleetRun
{
    private const int ProblemsMax = 5;

    /// <summary>In a storm every tenth device has an inventory under way when its connection goes.</summary>
    private const int InterruptedShare = 10;

    /// <summary>As an agent would: a failed connect is repeated after about a second, not all at the same moment.</summary>
    private static readonly TimeSpan RetryMin = TimeSpan.FromSeconds(0.5);

    /// <summary>A device whose connect hangs longer begins anew.</summary>
    private static readonly TimeSpan AttemptMax = TimeSpan.FromSeconds(90);

    /// <summary>Whoever is not back by then is not coming: the figures tell it.</summary>
    private static readonly TimeSpan StormMax = TimeSpan.FromMinutes(8);

    private readonly FleetOrder _order;
    private readonly TimeProvider _clock;
    private readonly IPEndPoint _server;
    private readonly SslClientAuthenticationOptions[] _identities;
    private readonly DeviceConnection?[] _connections;
    private readonly UpTemplate[] _inventories;
    private readonly List<string> _problems = [];
    private readonly long _hello;
    private long _sequence;
    private long _acknowledged;
    private long _failed;
    private long _said;

    private FleetRun(FleetOrder order, TimeProvider clock)
    {
        (_order, _clock) = (order, clock);
        _server = new IPEndPoint(IPAddress.Loopback, order.Port);
        _identities = ClientIdentity.ReadAll(order.IdentityFolder, order.Devices, order.ServerCaFile);
        _connections = new DeviceConnection?[order.Devices.Length];
        _inventories = order.Speaks ? [.. order.Devices.Select(device => UpTemplate.Of(device, Topics.Inventory, order.BootId))] : [];
        _hello = _sequence = GeneratorRun.FirstSequence(clock);
    }

    public static async Task<int> RunAsync(TextReader input, TextWriter output, TimeProvider clock)
    {
        var fleet = new FleetRun(JsonSerializer.Deserialize<FleetOrder>(await input.ReadLineAsync() ?? "")!, clock);
        while (await input.ReadLineAsync() is { } command)
        {
            var outcome = command switch
            {
                "connect" => await fleet.ReturnAsync(GeneratorRun.HandshakesAtOnce),
                "reconnect" => await fleet.StormAsync(GeneratorRun.HandshakesAtOnce),
                "storm" => await fleet.StormAsync(fleet._connections.Length),
                _ => throw new ArgumentOutOfRangeException(nameof(input), command, "connect, reconnect or storm."),
            };
            await output.WriteLineAsync(JsonSerializer.Serialize(outcome));
        }

        return 0;
    }

    /// <summary>Every connection is gone at once, some in the middle of a message; so many devices at a time come back.</summary>
    private async Task<FleetOutcome> StormAsync(int atOnce)
    {
        _sequence++;
        if (_order.Speaks)
        {
            var interrupted = Enumerable.Range(0, _connections.Length).Where(index => index % InterruptedShare == 0);
            await Task.WhenAll(interrupted.Select(
                index => _connections[index]?.SendAsync(_inventories[index], _sequence, CancellationToken.None) ?? Task.CompletedTask));
        }

        for (var i = 0; i < _connections.Length; i++)
        {
            _connections[i]?.Dispose();
            _connections[i] = null;
        }

        return await ReturnAsync(atOnce);
    }

    private async Task<FleetOutcome> ReturnAsync(int atOnce)
    {
        (_failed, _acknowledged, _said) = (0, 0, 0);
        var began = _clock.GetTimestamp();
        var back = new double[_connections.Length];
        using var places = new SemaphoreSlim(atOnce);
        using var limit = new CancellationTokenSource(StormMax, _clock);
        await Task.WhenAll(Enumerable.Range(0, _connections.Length).Select(async index =>
        {
            await places.WaitAsync();
            try
            {
                await ReturnAsync(index, () => back[index] = _clock.GetElapsedTime(began).TotalSeconds, limit.Token);
            }
            finally
            {
                places.Release();
            }
        }));
        var connected = _connections.Count(connection => connection is not null);
        return new FleetOutcome(
            connected,
            back.Max(),
            back.Order().ElementAt(back.Length / 2),
            _said == 0 ? 0 : _clock.GetElapsedTime(began, Volatile.Read(ref _said)).TotalSeconds,
            Interlocked.Read(ref _acknowledged),
            Interlocked.Read(ref _failed),
            [.. _problems]);
    }

    /// <summary>Connects and repeats what the device has to say, until all of it is acknowledged.</summary>
    private async Task ReturnAsync(int index, Action isBack, CancellationToken limit)
    {
        var connect = Packets.Connect(_order.Devices[index]);
        while (!limit.IsCancellationRequested)
        {
            DeviceConnection? connection = null;
            using var attempt = CancellationTokenSource.CreateLinkedTokenSource(limit);
            attempt.CancelAfter(AttemptMax);
            try
            {
                connection = await DeviceConnection.OpenAsync(_server, _identities[index], connect, attempt.Token);
                isBack();
                await SpeakAsync(index, connection, attempt.Token);
                _connections[index] = connection;
                _ = connection.WaitForEndAsync(CancellationToken.None);
                return;
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                connection?.Dispose();
                Note(exception);
            }

            await Task.Delay(RetryMin + (RetryMin * 2 * Random.Shared.NextDouble()), _clock, CancellationToken.None);
        }
    }

    private async Task SpeakAsync(int index, DeviceConnection connection, CancellationToken cancellationToken)
    {
        if (!_order.Speaks)
        {
            return;
        }

        var hello = UpTemplate.Of(_order.Devices[index], Topics.Hello, _order.BootId);
        await connection.SayAsync(hello, _hello, cancellationToken);
        await connection.SayAsync(_inventories[index], _sequence, cancellationToken);
        Interlocked.Increment(ref _acknowledged);
        Volatile.Write(ref _said, _clock.GetTimestamp());
    }

    private void Note(Exception exception)
    {
        Interlocked.Increment(ref _failed);
        lock (_problems)
        {
            if (_problems.Count < ProblemsMax)
            {
                _problems.Add(exception.Message);
            }
        }
    }
}
