namespace Muster.Gateway.Images;

/// <summary>Images are on the devices' listener and on the one for a proxy that ended TLS; each device asks at its pace.</summary>
internal sealed class ImageListenerFilter : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (!DeviceArtifactsExtensions.IsDeviceListener(http) && !DeviceArtifactsExtensions.IsLinkListener(http))
        {
            return TypedResults.NotFound();
        }

        if (DeviceArtifactsExtensions.PlaceOf(http) is { } place)
        {
            await place.WaitAsync(http.RequestAborted);
        }

        return await next(context);
    }
}
