using Muster.Domain.Identity;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Revocations;

/// <summary>One HTTPS connection of a device, whatever is asked on it.</summary>
/// <param name="Identity">Proved by its handshake.</param>
/// <param name="Abort">Ends it.</param>
internal sealed record OpenConnection(DeviceIdentity Identity, Action Abort);

/// <summary>The HTTPS connections of devices, so that one whose certificate is cut off ends although nothing is asked on it.</summary>
internal sealed class OpenConnections
{
    private readonly Lock _lock = new();
    private readonly Dictionary<DeviceAddress, List<OpenConnection>> _connections = [];

    /// <summary>Until what it returns is disposed.</summary>
    public IDisposable Open(DeviceAddress address, DeviceIdentity identity, Action abort)
    {
        var connection = new OpenConnection(identity, abort);
        lock (_lock)
        {
            if (!_connections.TryGetValue(address, out var open))
            {
                _connections.Add(address, open = new List<OpenConnection>(1));
            }

            open.Add(connection);
        }

        return new End(this, address, connection);
    }

    public bool Has(DeviceAddress address)
    {
        lock (_lock)
        {
            return _connections.ContainsKey(address);
        }
    }

    /// <summary>A copy: a device has a few.</summary>
    public OpenConnection[] Of(DeviceAddress address)
    {
        lock (_lock)
        {
            return _connections.TryGetValue(address, out var open) ? [.. open] : [];
        }
    }

    private sealed class End(OpenConnections owner, DeviceAddress address, OpenConnection connection) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._lock)
            {
                var open = owner._connections[address];
                open.RemoveAll(one => ReferenceEquals(one, connection));
                if (open.Count == 0)
                {
                    owner._connections.Remove(address);
                }
            }
        }
    }
}
