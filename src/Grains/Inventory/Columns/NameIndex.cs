using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Muster.Grains.Inventory.Columns;

/// <summary>Finds a row by its name: a table of row numbers, eight bytes a row, the names being in their column already.</summary>
internal sealed class NameIndex(TextColumn names)
{
    private const int Empty = -1;

    private int[] _slots = NewSlots(16);
    private int _count;

    /// <summary>-1 when there is none.</summary>
    public int Find(string name) => _slots[SlotOf(name)];

    /// <summary>Takes a row whose name is in the column already and was not here before.</summary>
    public void Add(int row)
    {
        if ((_count + 1) * 2 > _slots.Length)
        {
            var before = _slots;
            _slots = NewSlots(before.Length * 2);
            foreach (var known in before)
            {
                if (known != Empty)
                {
                    _slots[SlotOf(names.Get(known))] = known;
                }
            }
        }

        _slots[SlotOf(names.Get(row))] = row;
        _count++;
    }

    /// <summary>The slot that has the name, or the empty one where it belongs.</summary>
    [MethodImpl(ScanPath.Options)]
    private int SlotOf(string name)
    {
        Span<char> room = stackalloc char[Domain.Devices.DeviceId.LengthMax];
        var mask = _slots.Length - 1;
        var slot = (int)(XxHash3.HashToUInt64(MemoryMarshal.AsBytes(name.AsSpan())) & (uint)mask);
        while (_slots[slot] != Empty && !names.Read(_slots[slot], room).SequenceEqual(name))
        {
            slot = (slot + 1) & mask;
        }

        return slot;
    }

    private static int[] NewSlots(int length)
    {
        var slots = new int[length];
        Array.Fill(slots, Empty);
        return slots;
    }
}
