using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Muster.Gateway.Identity;

/// <summary>What one network may have of the handshakes at once.</summary>
internal sealed class SourceShare(IPAddress source, int places)
{
    public IPAddress Source => source;

    public SemaphoreSlim Places { get; } = new(places);

    /// <summary>Connections that have a place or wait for one; the shares' lock guards it.</summary>
    public int Connections { get; set; }
}

/// <summary>
/// The shares of those networks that are shaking hands: an address of IPv4, a /64 of IPv6, which is what one host has (RFC 7421). There are
/// as many as connections that shake hands or wait for it.
/// </summary>
internal sealed class SourceShares(int placesPerSource)
{
    /// <summary>Bytes of an address of IPv6 that name its network.</summary>
    private const int NetworkBytes = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, SourceShare> _shares = [];

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _shares.Count;
            }
        }
    }

    public SourceShare Enter(IPAddress? address)
    {
        var source = NetworkOf(address ?? IPAddress.None);
        lock (_lock)
        {
            ref var share = ref CollectionsMarshal.GetValueRefOrAddDefault(_shares, source, out _);
            share ??= new SourceShare(source, placesPerSource);
            share.Connections++;
            return share;
        }
    }

    public void Leave(SourceShare share)
    {
        lock (_lock)
        {
            if (--share.Connections == 0)
            {
                _shares.Remove(share.Source);
            }
        }
    }

    private static IPAddress NetworkOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[NetworkBytes..].Clear();
        return new IPAddress(bytes);
    }
}
