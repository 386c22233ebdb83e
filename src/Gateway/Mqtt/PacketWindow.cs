namespace Muster.Gateway.Mqtt;

/// <summary>
/// The packet identifiers of QoS 1 messages that the device has not acknowledged, never more than its Receive Maximum and
/// ours. Not safe for threads; its session locks.
/// </summary>
internal sealed class PacketWindow(int size)
{
    /// <summary>A device handles one message after the other; a few under way hide the round trip.</summary>
    public const int SizeMax = 8;

    private readonly ushort[] _ids = new ushort[Math.Clamp(size, 1, SizeMax)];
    private ushort _last;

    public bool IsEmpty => !_ids.AsSpan().ContainsAnyExcept((ushort)0);

    public bool IsFull => Array.IndexOf(_ids, (ushort)0) < 0;

    public ushort Open()
    {
        do
        {
            _last = _last == ushort.MaxValue ? (ushort)1 : (ushort)(_last + 1);
        }
        while (Array.IndexOf(_ids, _last) >= 0);

        _ids[Array.IndexOf(_ids, (ushort)0)] = _last;
        return _last;
    }

    public bool IsOpen(ushort id) => id != 0 && Array.IndexOf(_ids, id) >= 0;

    /// <summary>False when no such message is under way.</summary>
    public bool Close(ushort id)
    {
        var index = id == 0 ? -1 : Array.IndexOf(_ids, id);
        if (index >= 0)
        {
            _ids[index] = 0;
        }

        return index >= 0;
    }
}
