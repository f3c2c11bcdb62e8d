"""What other libraries call something: the name it has here, or that it is absent, and what to write instead.

The names are those of torch.nn, torch.nn.functional, timm, Keras and of papers, without case and underscores. Loaded
only where a name is not understood.
"""

from __future__ import annotations


def _alike(groups: dict[str, str]) -> dict[str, str]:
    """`{"bn": "batchnorm batchnorm2d"}` the other way round."""
    return {name: meant for meant, names in groups.items() for name in names.split()}


FOREIGN = _alike(
    {
        "conv": "conv2d convolution convolution2d lazyconv2d",
        "dwconv": "depthwise depthwiseconv depthwiseconv2d depthwiseconvolution",
        "std_conv": "stdconv2d scaledstdconv2d wsconv2d weightstandardizedconv",
        "conv_transpose": "convtranspose2d conv2dtranspose transposedconv transposedconv2d transposeconv tconv upconv "
        "transposedconvolution deconv deconv2d deconvolution lazyconvtranspose2d convtransposed",
        "linear": "dense fc fullyconnected innerproduct lazylinear",
        "bn": "batchnorm batchnorm1d batchnorm2d bn2d batchnormalization lazybatchnorm1d lazybatchnorm2d",
        "layernorm": "layernorm2d layernormalization ln",
        "groupnorm": "groupnormalization gn",
        "instancenorm": "instancenorm2d instancenormalization lazyinstancenorm2d",
        "lrn": "localresponsenorm localresponsenormalization crossmaplrn2d",
        "grn": "globalresponsenorm globalresponsenormalization",
        "layer_scale": "layerscale2d",
        "maxpool": "maxpool2d maxpooling maxpooling2d maxpool2dwithindices",
        "avgpool": "avgpool2d avgpooling averagepool averagepool2d averagepooling averagepooling2d meanpool",
        "gap": "globalavgpool globalavgpool2d globalaveragepool globalaveragepooling globalaveragepooling2d",
        "adaptive_avgpool": "adaptiveavgpool2d adaptiveaveragepool2d adaptiveaveragepooling2d",
        "adaptive_maxpool": "adaptivemaxpool2d adaptivemaxpooling2d adaptivemaxpool2dwithindices",
        "blurpool": "blurpool2d blurpooling antialias",
        "resize": "upsample upsampling upsampling2d upsamplingnearest2d upsamplingbilinear2d upsamplebilinear "
        "upsamplenearest interpolate resizing resizebilinear resizenearestneighbor imresize",
        "pixel_shuffle": "depthtospace subpixel subpixelconv",
        "pixel_unshuffle": "spacetodepth reorg",
        "channel_shuffle": "nativechannelshuffle shufflechannels",
        "pad": "zeropad zeropad2d constantpad2d zeropadding2d",
        "crop": "cropping2d centercrop",
        "split": "chunk tensorsplit",
        "slice": "narrow",
        "concat": "cat concatenate concatenation",
        "add": "plus eltwiseadd",
        "sub": "subtract minus",
        "mul": "multiply eltwisemul",
        "maximum": "eltwisemax maxout",
        "id": "identity noop passthrough",
        "dropout2d": "spatialdropout spatialdropout2d",
        "drop_path": "stochasticdepth",
        "silu": "swish",
        "hardswish": "hswish",
        "hardsigmoid": "hsigmoid",
        "leaky_relu": "lrelu",
        "prelu": "parametricrelu",
        "glu": "gatedlinearunit",
        "softmax": "softmax2d",
        "hardtanh": "clamp clip",
        # parameters
        "kernel": "kernelsize poolsize ksize filtersize",
        "out": "outchannels outfeatures filters units numoutput",
        "dilation": "dilationrate",
        "groups": "numgroups",
        "multiplier": "depthmultiplier",
        "bias": "usebias",
        "eps": "epsilon",
        "p": "rate prob dropprob dropoutrate droprate",
        "slope": "negativeslope",
        "size": "outputsize",
        "scale_factor": "factor",
    }
)
"""-> its name here. `drop_path` for `DropPath` needs no entry: case and underscores never count."""

_TOKENS = "ops on sequences of tokens are absent, attention among them"
_ROW = "ops on one dimension are absent: an image of one row will do, `image(c, 1, n)` with kernels such as [1, 3]"
_3D = "ops on three dimensions are absent: images have height and width"
_RECURRENT = "recurrent layers are absent: a network is applied once, to one image"
_LOSS = "losses are no part of a network: compute them from what it returns"
_DETECTION = "ops on regions are absent: they are no part of the network that makes the feature maps"
_WARP = "ops that move pixels to computed places are absent: there are `resize`, `pad`, `crop` and `pixel_shuffle`"
_NORM = "this normalisation is absent: there are `bn`, `layernorm`, `groupnorm`, `instancenorm`, `lrn` and `grn`"
_NOISE = "there is no such regularizer; there are `dropout`, `dropout2d` and `drop_path`"
_POOL = "this pool is absent: there are `maxpool`, `avgpool`, `gap`, `blurpool`, `adaptive_avgpool`, `adaptive_maxpool`"
_PRODUCT = "products of matrices of activations are absent; a product value by value is `f * g`"
_LIST = "layers in a list are `[f, g]`, which is itself a layer: f, then g"
_SHAPE = "shapes change by `flatten`, `permute`, `split`, `slice` and `pixel_shuffle` only"
_WEIGHT = "a bare weight is absent, but for `layer_scale` and the slopes of `prelu`"
_CONV = (
    "convolutions that depend on the image, in filters or places, are absent: there are `conv`, `dwconv`, `std_conv`"
)

ABSENT = _alike(
    {
        _TOKENS: "attention selfattention crossattention multiheadattention multiheadattentionforward mha attention2d "
        "additiveattention groupqueryattention scaleddotproductattention transformer vit "
        "transformerencoder windowattention transformerencoderlayer transformerdecoder transformerdecoderlayer "
        "embedding embeddingbag positionalembedding posembed patchembed clstoken onehot nonlocal nonlocalblock mamba",
        _RECURRENT: "rnn rnnbase rnncell rnncellbase lstm lstmcell gru grucell simplernn simplernncell bidirectional "
        "convlstm convlstm1d convlstm2d convlstm3d stackedrnncells timedistributed",
        _ROW: "convtranspose1d lazyconv1d lazyconvtranspose1d convtbc maxpool1d avgpool1d adaptiveavgpool1d "
        "adaptivemaxpool1d adaptivemaxpool1dwithindices maxpool1dwithindices lppool1d maxunpool1d instancenorm1d "
        "lazyinstancenorm1d dropout1d reflectionpad1d replicationpad1d circularpad1d constantpad1d zeropad1d "
        "conv1dtranspose maxpooling1d averagepooling1d globalaveragepooling1d globalmaxpooling1d separableconv1d "
        "depthwiseconv1d cropping1d upsampling1d zeropadding1d spatialdropout1d adaptiveaveragepooling1d "
        "adaptivemaxpooling1d",
        f"{_ROW}; over the channels of a vector there is `channel_conv`": "conv1d",
        _3D: "conv3d convtranspose3d lazyconv3d lazyconvtranspose3d maxpool3d avgpool3d adaptiveavgpool3d "
        "adaptivemaxpool3d adaptivemaxpool3dwithindices maxpool3dwithindices lppool3d maxunpool3d fractionalmaxpool3d "
        "fractionalmaxpool3dwithindices batchnorm3d lazybatchnorm3d instancenorm3d lazyinstancenorm3d dropout3d "
        "reflectionpad3d replicationpad3d circularpad3d constantpad3d zeropad3d conv3dtranspose maxpooling3d "
        "averagepooling3d globalaveragepooling3d globalmaxpooling3d cropping3d upsampling3d zeropadding3d "
        "spatialdropout3d adaptiveaveragepooling3d adaptivemaxpooling3d",
        _CONV: "deformconv deformconv2d deformableconv deformableconv2d dcn dcnv2 dcnv3 condconv condconv2d "
        "dynamicconv involution coordconv",
        "a separable convolution is written out: `[dwconv(3), conv(64, 1)]`": "separableconv separableconv2d "
        "depthwiseseparableconv depthwiseseparable",
        'TensorFlow\'s padding is an argument: `conv(64, 3, padding = "tf_same")`': "conv2dsame",
        _DETECTION: "roialign roipool psroialign psroipool nms anchorgenerator",
        _WARP: "gridsample affinegrid fold unfold im2col col2im maxunpool maxunpool2d unpool",
        _NORM: "rmsnorm rmsnormalization spectralnorm spectralnormalization weightnorm unitnormalization normalization "
        "normalize frn filterresponsenorm evonorm switchablenorm",
        "write `bn`; torch.nn.SyncBatchNorm.convert_sync_batchnorm changes a module that is built": "syncbatchnorm",
        _NOISE: "alphadropout featurealphadropout dropblock dropblock2d dropconnect gaussiannoise gaussiandropout "
        "cutout activityregularization",
        _POOL: "lppool lppool2d fractionalmaxpool2d fractionalmaxpool2dwithindices stochasticpool mixedpool softpool",
        "the maximum of each channel is `adaptive_maxpool(1)`": "globalmaxpool globalmaxpool2d globalmaxpooling "
        "globalmaxpooling2d gmp",
        "blurred max pooling is written out: `[maxpool(2, stride = 1, padding = 0), blurpool]`": "maxblurpool "
        "maxblurpool2d",
        _PRODUCT: "matmul mm bmm einsum einsumdense bilinear groupedmm scaledmm scaledgroupedmm cosinesimilarity "
        "pairwisedistance pdist",
        "the input of a block is `in`, that of a model `image(channels, height, width)`": "input inputs inputlayer",
        _LIST: "modulelist moduledict container module",
        _SHAPE: "reshape view unflatten squeeze unsqueeze repeatvector tile gather",
        'the layout changes by `permute("nhwc")` and back by `permute("nchw")`': "transpose swapaxes movedim",
        "tensors are laid side by side by `concat`; `softmax(branches = n)` compares its parts": "stack unstack",
        _WEIGHT: "parameterlist parameterdict",
        "the mean of each channel is `gap`, that over the channels `channel_mean`": "mean reducemean",
        "the maximum of each channel is `adaptive_maxpool(1)`, that over the channels `channel_max`": "amax reducemax",
        "the mean of several tensors is their sum and `scale`: `f + g -> scale(0.5)`": "average",
        "a quotient of tensors is absent; by a number, write `scale(1 / n)`": "div divide truediv",
        "write `[scale(-1), softmax]`": "softmin",
        "write `id * (scale(1.702) -> sigmoid)`": "quickgelu",
        'write `pad(1, 1, 1, 1, mode = "reflect")`': "reflectionpad2d reflectpad",
        'write `pad(1, 1, 1, 1, mode = "replicate")`': "replicationpad2d",
        'write `pad(1, 1, 1, 1, mode = "circular")`': "circularpad2d",
        'write `use "common.arch" (SqueezeExcite)`': "squeezeexcitation semodule selayer seblock",
        "write `id * (gap -> conv: channel_conv(3, bias = false) -> sigmoid)`": "eca ecamodule ecalayer "
        "efficientchannelattention",
        "this activation is absent; docs/ops.md lists those there are": "hardmax gumbelsoftmax sparsemax hardmish "
        "thresholdedrelu squareplus sparseplus sparsesigmoid snake aconc",
        _LOSS: "adaptivelogsoftmaxwithloss bceloss bcewithlogitsloss cosineembeddingloss crossentropyloss ctcloss "
        "gaussiannllloss hingeembeddingloss huberloss kldivloss l1loss linearcrossentropyloss "
        "linearcrossentropyoptions marginrankingloss mseloss multilabelmarginloss multilabelsoftmarginloss "
        "multimarginloss nllloss nllloss2d "
        "poissonnllloss smoothl1loss softmarginloss tripletmarginloss tripletmarginwithdistanceloss binarycrossentropy "
        "binarycrossentropywithlogits crossentropy kldiv linearcrossentropy mse",
    }
)
"""-> why it is not there, or how it is written."""

ABSENT_PARAMETERS = _alike(
    {
        "input channels are not written: they are those of the tensor that comes in": "inchannels infeatures "
        "inputchannels inplanes numfeatures normalizedshape numchannels",
        'the border is an op of its own: `pad(1, 1, 1, 1, mode = "reflect")`, and then `padding = 0`': "paddingmode "
        "padmode",
        "an activation is a layer of its own: `conv(64, 3) -> relu`": "activation actlayer kernelactivation",
        "a normalisation is a layer of its own: `conv(64, 3) -> bn`": "normlayer",
        "what is computed in place follows from the network, and is not written": "inplace",
        "values get their device and type where the network is built: `archdsl.load(…, device = …)`": "device dtype",
        "a label names a layer: `name: conv(64, 3)`": "name",
        "the input of a model is `image(channels, height, width)`": "inputshape",
        "how weights begin is said by `init`": "kernelinitializer biasinitializer weightinit initializer",
        "the axis follows from the layout of the tensor: channels, or positions": "dim dims axis dataformat",
    }
)
"""Arguments that ops do not have here -> why."""

SETTINGS = dict.fromkeys("numclasses nclasses nbclasses numlabels numclass numberofclasses".split(), "classes")
"""Parameters of whole networks -> their names here."""

ABSENT_SETTINGS = _alike(
    {
        "weights are those of a file: `archdsl.load(…, weights = FILE)`, `archdsl predict --weights FILE`": "weight "
        "pretrained weights checkpointpath ckptpath pretrainedweights modelweights",
        "channels of the image: `archdsl.load(…, in_channels = 1)`, `--image 1x224x224`": "inchans inchannels "
        "nchannels inputchannels numchannels channels inplanes nchans",
        "size of the image: `archdsl.load(…, image_size = 160)`, `--image 160`": "imgsize imagesize inputsize "
        "inputshape resolution inputresolution",
        "feature maps: `archdsl.load(…, features = True)`": "featuresonly outindices includetop globalpool",
        "where the network is made: `archdsl.load(…, device = …, dtype = …)`": "device dtype",
    }
)
"""What is said of a whole network, and is no parameter of its model -> how it is said."""
