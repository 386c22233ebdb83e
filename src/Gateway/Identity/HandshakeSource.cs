using System.Net;
using System.Net.Sockets;

namespace Muster.Gateway.Identity;

/// <summary>
/// Whom a connection counts for at the doors. Of IPv4 the address is both. Of IPv6 the network is the /48, which is what a site is given
/// at most (RFC 6177) and anybody gets for the asking, and within it hosts are told apart by the /64 (RFC 7421).
/// </summary>
/// <param name="Network">Has a share of the handshakes, and one turn in each round.</param>
/// <param name="Host">Has one turn in each round of its network.</param>
internal readonly record struct HandshakeSource(IPAddress Network, IPAddress Host)
{
    /// <summary>Bytes of an address of IPv6 that name the network, and the host's link in it.</summary>
    private const int NetworkBytes = 6;

    private const int HostBytes = 8;

    public static HandshakeSource Of(IPAddress? address) => address switch
    {
        null => new HandshakeSource(IPAddress.None, IPAddress.None),
        { IsIPv4MappedToIPv6: true } => Of(address.MapToIPv4()),
        { AddressFamily: AddressFamily.InterNetworkV6 } => new HandshakeSource(First(address, NetworkBytes), First(address, HostBytes)),
        _ => new HandshakeSource(address, address),
    };

    private static IPAddress First(IPAddress address, int count)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[count..].Clear();
        return new IPAddress(bytes);
    }
}
