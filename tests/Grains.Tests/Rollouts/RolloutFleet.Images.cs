using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Images;
using Muster.Domain.Inventory;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>The catalogue: what the image of all rollouts asks for, and which others there are.</summary>
internal sealed partial class RolloutFleet
{
    /// <summary>Of the image that rollouts of the test offer.</summary>
    public ImageConditions Conditions { get; set; } = ImageConditions.None;

    /// <summary>Of other images that rollouts of the test offer, by their digest.</summary>
    public ConcurrentDictionary<string, ImageConditions> ConditionsOf { get; } = new();

    /// <summary>How often it was asked whether an image may be used, by its digest.</summary>
    public ConcurrentDictionary<string, int> ImageChecks { get; } = new();

    /// <summary>How often a device whose record cannot be read was asked what became of its offer.</summary>
    public int DeadAsked { get; private set; }

    private readonly List<(int Partition, ImageRow Row)> _images = [];

    /// <summary>An image that lists show in one of the partitions; returns its digest.</summary>
    public string AddImage(int partition, string version, string model, ImageState state = ImageState.Published)
    {
        lock (_gate)
        {
            var digest = (_images.Count + 1).ToString("x64", CultureInfo.InvariantCulture);
            _images.Add((partition, new ImageRow
            {
                Tenant = TenantId.Default,
                Name = digest,
                Manifest = new ImageManifest(version, ImageTrack.Active, [model], 1000),
                Signer = null!,
                CreatedAt = clock.GetUtcNow(),
                State = state,
            }));
            return digest;
        }
    }

    /// <summary>An image that asks for steps of its own, and the images of those, the first of them first.</summary>
    public (string Image, ImmutableArray<string> Steps) AddPath(int length)
    {
        var image = AddImage(0, "12.1.0", "P3265-V");
        var number = int.Parse(image, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        ImmutableArray<string> versions = [.. Enumerable.Range(1, length).Select(step => $"11.{number}.{step}")];
        ConditionsOf[image] = new ImageConditions { Steps = versions };
        return (image, [.. versions.Select(version => AddImage(0, version, "P3265-V"))]);
    }

    /// <summary>Lists show it, so that it can be a step.</summary>
    public bool IsStep(string digest)
    {
        lock (_gate)
        {
            return _images.Any(image => image.Row.Name == digest);
        }
    }

    /// <summary>As an inventory answers: in the order of the names, behind the one that is named, and no more than are asked for.</summary>
    private RowPage ListImages(int partition, RowQuery query)
    {
        lock (_gate)
        {
            var (filter, error) = InventoryFilter.Parse(query.Filter, InventoryFields.Image);
            Assert.Null(error);
            var rows = _images.Where(image => image.Partition == partition && string.CompareOrdinal(image.Row.Name, query.After) > 0)
                .OrderBy(image => image.Row.Name, StringComparer.Ordinal)
                .Select(image => new ListedRow(new RecordKey(GrainTypes.Image, $"default/{image.Row.Name}"), 1, image.Row, null))
                .Where(row => filter.Matches(row, clock.GetUtcNow()))
                .ToList();
            return new RowPage([.. rows.Take(query.RowsMax)], rows.Count <= query.RowsMax, null);
        }
    }
}
