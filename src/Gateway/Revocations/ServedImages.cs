using System.Collections.Concurrent;
using Muster.Contracts.Images;
using Muster.Domain;
using Muster.Domain.Images;
using Muster.Gateway.Devices;

namespace Muster.Gateway.Revocations;

/// <summary>
/// Which images may be served, as this gateway knows: an image's grain is asked once for all devices and ranges, and its yes is held until
/// the watch tells of a revocation. Used only while the news of the image's partition is fresh, like everything that the watch closes.
/// </summary>
internal sealed class ServedImages(IGrainFactory grains, WatchedPartitions partitions, TimeProvider clock)
{
    /// <summary>A fleet is offered a few at a time, and only a digest that a device's desired state names gets here.</summary>
    public const int ImagesMax = 4096;

    /// <summary>
    /// A revocation comes by the watch. That the grain is asked again all the same is for silos of a version that tells of devices only, in
    /// the middle of an upgrade: one call for each image and minute.
    /// </summary>
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(TenantId Tenant, ImageDigest Image), Held> _held = new();

    /// <summary>Null when the image may be served. Throws what the grain's call threw.</summary>
    public ValueTask<FleetError?> CheckAsync(TenantId tenant, ImageDigest image, int partition)
    {
        var key = (tenant, image);
        var held = _held.TryGetValue(key, out var known) && clock.GetElapsedTime(known.AskedAt) < Lease
            ? known
            : Renew(key, known, partition);

        // After it was put in, so that a revocation finds it; and a partition that was begun anew since is not fresh.
        if (!partitions.IsFresh(partition))
        {
            return ValueTask.FromResult<FleetError?>(DeviceMessageErrors.RevocationsUnknown());
        }

        var answer = held.Answer;
        return answer is { IsCompletedSuccessfully: true, Result: null }
            ? ValueTask.FromResult<FleetError?>(null)
            : WaitAsync(key, held, answer);
    }

    /// <summary>The image was revoked.</summary>
    public void Forget(TenantId tenant, ImageDigest image) => _held.TryRemove((tenant, image), out _);

    /// <summary>Nobody knows which images of this partition were revoked.</summary>
    public void Forget(int partition)
    {
        foreach (var held in _held)
        {
            if (held.Value.Partition == partition)
            {
                _held.TryRemove(held);
            }
        }
    }

    private Held Renew((TenantId Tenant, ImageDigest Image) key, Held? known, int partition)
    {
        var asked = new Held(partition, clock.GetTimestamp(), () => AskAsync(key.Tenant, key.Image));
        if (known is null)
        {
            if (_held.Count >= ImagesMax)
            {
                // Starting anew costs each image in use one call.
                _held.Clear();
            }

            return _held.GetOrAdd(key, asked);
        }

        return _held.TryUpdate(key, asked, known) ? asked : _held.GetOrAdd(key, asked);
    }

    private async Task<FleetError?> AskAsync(TenantId tenant, ImageDigest image) =>
        await grains.GetImage(tenant, image).CheckUseAsync();

    /// <summary>Only a yes is held; a no, or none, is asked for again by whoever comes next.</summary>
    private async ValueTask<FleetError?> WaitAsync((TenantId Tenant, ImageDigest Image) key, Held held, Task<FleetError?> answer)
    {
        var isHeld = false;
        try
        {
            var refusal = await answer;
            isHeld = refusal is null;
            return refusal;
        }
        finally
        {
            if (!isHeld)
            {
                _held.TryRemove(KeyValuePair.Create(key, held));
            }
        }
    }

    /// <summary>One question, which is asked when somebody waits for its answer, and once for all who do.</summary>
    private sealed class Held(int partition, long askedAt, Func<Task<FleetError?>> ask)
    {
        private readonly Lazy<Task<FleetError?>> _answer = new(ask);

        public int Partition { get; } = partition;

        public long AskedAt { get; } = askedAt;

        public Task<FleetError?> Answer => _answer.Value;
    }
}
