using Microsoft.Extensions.Options;
using Muster.ServiceDefaults.Health;

namespace Muster.Gateway.Broker;

/// <summary>The connections to the broker: which one a message can leave by, and what is wrong with them.</summary>
internal sealed class BrokerConnections(IOptions<BrokerOptions> options) : IHealthNote
{
    private BrokerLink[] _links = [];
    private int _turn;

    /// <summary>Before the first of them runs.</summary>
    public void Add(BrokerLink link) => _links = [.. _links, link];

    public BrokerLink? FindOpen()
    {
        for (var tries = 0; tries < _links.Length; tries++)
        {
            var link = _links[(int)((uint)Interlocked.Increment(ref _turn) % _links.Length)];
            if (link.IsOpen)
            {
                return link;
            }
        }

        return null;
    }

    public string? Find()
    {
        var open = _links.Count(link => link.IsOpen);
        var closed = _links.FirstOrDefault(link => !link.IsOpen);
        return open == options.Value.Connections ? null
            : $"{open} of {options.Value.Connections} connections to the MQTT broker are open; {closed?.Problem}";
    }
}
