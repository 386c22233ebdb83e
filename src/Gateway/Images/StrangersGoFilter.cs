using Microsoft.AspNetCore.Connections.Features;
using Muster.Gateway.Identity;

namespace Muster.Gateway.Images;

/// <summary>
/// At the devices' HTTPS listener: whose certificate proves nothing gets one answer, whatever he asked for, and his connection ends with
/// it. He has a place that devices wait for, as long as he is connected.
/// </summary>
internal sealed class StrangersGoFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use((http, rest) =>
        {
            if (DeviceArtifactsExtensions.IsDeviceListener(http) && DevicePeer.Of(http)?.Result?.Identity is null)
            {
                http.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            }

            return rest(http);
        });
        next(app);
    };
}
