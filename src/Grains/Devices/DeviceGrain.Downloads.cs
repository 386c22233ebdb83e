using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Grains.Devices;

/// <summary>Whether the device may download an image; the rules are <see cref="DeviceAdmission"/>.</summary>
internal sealed partial class DeviceGrain
{
    public Task<FleetError?> AuthorizeDownloadAsync(AuthorizeDownload command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var refused = DeviceAdmission.CheckDownload(Current, _id, command.Identity, command.Digest, _services.Clock.GetUtcNow());
        if (refused is not null && command.Identity is { } identity)
        {
            TellOwnerOf(identity);
        }

        return Task.FromResult(refused);
    }

    /// <summary>The door itself: what is judged again while it goes on says nothing of who comes.</summary>
    public async Task<DownloadClearance> ClearDownloadAsync(AuthorizeDownload command)
    {
        var refused = await AuthorizeDownloadAsync(command);
        if (refused is not null && command.Identity is { } identity)
        {
            Note(refused, identity);
        }

        return new DownloadClearance(refused, Current?.Site ?? "");
    }
}
