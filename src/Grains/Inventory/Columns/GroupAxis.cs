using System.Runtime.InteropServices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory.Columns;

/// <summary>The values of one field that rows are counted by, each with a place.</summary>
internal abstract class GroupAxis
{
    /// <summary>How many places there are; known behind <see cref="PlacesOf"/>, and at least one.</summary>
    public abstract int Size { get; }

    public abstract void PlacesOf(ReadOnlySpan<int> rows, Span<int> places);

    /// <summary>The value, as the API writes it.</summary>
    public abstract string Show(int place);

    public static GroupAxis Of(GroupKey key, DeviceColumns columns, DateTimeOffset now)
    {
        var field = key.Path.Field;
        if (field.Type is FieldType.Text or FieldType.Version or FieldType.Map)
        {
            return columns.Text(key.Path) switch
            {
                null => new Constant(),
                { IsPacked: true } packed => new Packed(packed),
                var coded => new Coded(coded),
            };
        }

        var column = columns.Number(key.Path);
        Func<int, long> get = column is null
            ? row => PresenceEntry.Field(columns.PresenceOf(row), field.Name, now).Number
            : column.Get;
        return field.Type == FieldType.Choice ? new Choice(field, get) : new Numbers(key, get);
    }

    /// <summary>A label or setting that no row has.</summary>
    private sealed class Constant : GroupAxis
    {
        public override int Size => 1;

        public override void PlacesOf(ReadOnlySpan<int> rows, Span<int> places) => places[..rows.Length].Clear();

        public override string Show(int place) => "";
    }

    private sealed class Coded(TextColumn column) : GroupAxis
    {
        public override int Size => column.Values.Count;

        public override void PlacesOf(ReadOnlySpan<int> rows, Span<int> places) => column.CodesOf(rows, places);

        public override string Show(int place) => column.Values[place];
    }

    private sealed class Choice(InventoryField choices, Func<int, long> get) : GroupAxis
    {
        public override int Size => choices.Values.Length;

        public override void PlacesOf(ReadOnlySpan<int> rows, Span<int> places)
        {
            for (var i = 0; i < rows.Length; i++)
            {
                places[i] = (int)get(rows[i]);
            }
        }

        public override string Show(int place) => choices.Values[place];
    }

    /// <summary>Text that most rows have of their own: numbered as it comes.</summary>
    private sealed class Packed(TextColumn column) : GroupAxis
    {
        private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
        private readonly List<string> _texts = [];

        public override int Size => Math.Max(1, _texts.Count);

        public override void PlacesOf(ReadOnlySpan<int> rows, Span<int> places)
        {
            var known = _places.GetAlternateLookup<ReadOnlySpan<char>>();
            Span<char> room = stackalloc char[Domain.Devices.DeviceId.LengthMax];
            for (var i = 0; i < rows.Length; i++)
            {
                var text = column.Read(rows[i], room);
                if (!known.TryGetValue(text, out places[i]))
                {
                    places[i] = _texts.Count;
                    _texts.Add(text.ToString());
                    _places.Add(_texts[^1], places[i]);
                }
            }
        }

        public override string Show(int place) => _texts[place];
    }

    /// <summary>Numbers, and instants by their unit: the group is the number that its first value has.</summary>
    private sealed class Numbers(GroupKey key, Func<int, long> get) : GroupAxis
    {
        private const long DayMilliseconds = 24 * 60 * 60 * 1_000;

        private readonly Dictionary<long, int> _places = [];
        private readonly List<long> _firsts = [];

        public override int Size => Math.Max(1, _firsts.Count);

        public override void PlacesOf(ReadOnlySpan<int> rows, Span<int> places)
        {
            // Months and years begin with a day, so that the calendar is asked once for each day and not for each row.
            var days = new Dictionary<long, int>();
            var step = key.Unit.Length == 0 ? 1 : DayMilliseconds;
            for (var i = 0; i < rows.Length; i++)
            {
                var value = get(rows[i]);
                ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(days, FloorOf(value, step), out var isKnown);
                if (!isKnown)
                {
                    place = PlaceOf(key.FirstOf(value));
                }

                places[i] = place;
            }
        }

        public override string Show(int place) => key.Show(FieldValue.Of(_firsts[place]));

        private static long FloorOf(long value, long step) => (value / step) - (value % step < 0 ? 1 : 0);

        private int PlaceOf(long first)
        {
            if (!_places.TryGetValue(first, out var place))
            {
                _places[first] = place = _firsts.Count;
                _firsts.Add(first);
            }

            return place;
        }
    }
}
