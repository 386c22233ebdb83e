using Microsoft.Extensions.Options;

namespace Muster.Gateway.Broker;

/// <summary>Runs the connections, what is published, and the clock of silent devices.</summary>
internal sealed partial class BrokerService(
    BrokerConnections connections,
    BrokerTls tls,
    BrokerInbox inbox,
    BrokerOutbox outbox,
    BrokerDevices devices,
    BrokerInstruments instruments,
    IOptions<BrokerOptions> options,
    TimeProvider clock,
    ILoggerFactory loggers) : BackgroundService
{
    /// <summary>A silent device is noticed at most this late; a look at 100,000 costs milliseconds.</summary>
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var logger = loggers.CreateLogger<BrokerService>();
        LogTrust(logger, options.Value.Address);
        var links = Enumerable.Range(0, options.Value.Connections).Select(CreateLink).ToArray();
        foreach (var link in links)
        {
            connections.Add(link);
        }

        // Acknowledgements of what is finished while the gateway stops still leave.
        using var sending = new CancellationTokenSource();
        var sender = outbox.RunAsync(sending.Token);
        var sweeper = SweepAsync(stoppingToken);
        await Task.WhenAll(links.Select(link => link.RunAsync(stoppingToken)));
        await sending.CancelAsync();
        await Task.WhenAll(sender, sweeper);
    }

    private BrokerLink CreateLink(int number) => new(
        options.Value.Connections == 1 ? options.Value.ClientId : $"{options.Value.ClientId}-{number}",
        tls,
        inbox,
        instruments,
        options,
        clock,
        loggers.CreateLogger<BrokerLink>());

    private async Task SweepAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(SweepInterval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                devices.Sweep();
            }
        }
        catch (OperationCanceledException)
        {
            // The gateway stops; presence expires, or another gateway has the sessions.
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Devices may come by the broker {Address}: it ends TLS, and handshakes and certificates are its to check")]
    private static partial void LogTrust(ILogger logger, string address);
}
