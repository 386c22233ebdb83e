using Microsoft.Extensions.Logging;
using Muster.Contracts.Images;
using Muster.Domain;
using Muster.Domain.Images;

namespace Muster.Grains.Rollouts;

/// <summary>Which images the catalogue said to be revoked. What is revoked stays so; about others it is asked again.</summary>
internal sealed partial class RevokedImages(IGrainFactory grains, TenantId tenant, ResourceId rollout, ILogger logger)
{
    private readonly HashSet<string> _revoked = new(StringComparer.Ordinal);

    public bool IsEmpty => _revoked.Count == 0;

    public bool Contains(string digest) => _revoked.Contains(digest);

    public void Add(ImmutableArray<string> digests) => _revoked.UnionWith(digests.IsDefault ? [] : digests);

    /// <summary>Asks the catalogue. One that does not answer holds up neither the rollout nor the other images.</summary>
    public async Task AskAsync(string text)
    {
        try
        {
            if (ImageDigest.TryParse(text, out var digest)
                && await grains.GetImage(tenant, digest).CheckUseAsync() is { Reason: ImageErrors.RevokedReason })
            {
                _revoked.Add(text);
            }
        }
        catch (Exception fault)
        {
            LogUnknown(logger, fault, rollout.Value, text);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Rollout {RolloutId}: whether image {Digest} is revoked is not known, and is asked again")]
    private static partial void LogUnknown(ILogger logger, Exception fault, string rolloutId, string digest);
}
