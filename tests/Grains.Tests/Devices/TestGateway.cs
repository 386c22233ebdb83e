using System.Threading.Channels;
using Muster.Contracts.Gateways;

namespace Muster.Grains.Tests.Devices;

/// <summary>A gateway that writes down what it is told.</summary>
public sealed class TestGateway : IGatewayObserver
{
    /// <summary>A delivery takes milliseconds; a busy machine may need seconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Channel<DownDelivery> _deliveries = Channel.CreateUnbounded<DownDelivery>();
    private readonly Channel<CloseSession> _closings = Channel.CreateUnbounded<CloseSession>();

    public Task DeliverAsync(DownDelivery delivery) => _deliveries.Writer.WriteAsync(delivery).AsTask();

    public Task CloseAsync(CloseSession close) => _closings.Writer.WriteAsync(close).AsTask();

    /// <summary>The next message, of whatever kind.</summary>
    public Task<DownDelivery> NextAsync(CancellationToken cancellationToken) =>
        _deliveries.Reader.ReadAsync(cancellationToken).AsTask().WaitAsync(Patience, cancellationToken);

    public async Task<TMessage> NextAsync<TMessage>(CancellationToken cancellationToken)
        where TMessage : DownMessage => Assert.IsType<TMessage>((await NextAsync(cancellationToken)).Message);

    public Task<CloseSession> NextClosingAsync(CancellationToken cancellationToken) =>
        _closings.Reader.ReadAsync(cancellationToken).AsTask().WaitAsync(Patience, cancellationToken);

    public bool IsSilent => !_deliveries.Reader.TryPeek(out _);
}
